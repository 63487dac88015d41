"""The metrics and labels that a query of Prometheus names."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_SELECTOR: Final = re.compile(r"\b(keyturn[\w:]*|up|ALERTS)\b(\{[^}]*\})?")
_MATCHER: Final = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_GROUPED: Final = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_VALUE: Final = re.compile(r'"[^"]*"')


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric, with its matchers: label, operator and value."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...]


def selectors(query: str) -> Iterator[Selector]:
    """Yield the selectors of a query."""
    # Values of labels are hidden from the search: "keyturn-verifier" in one is no metric.
    hidden = _VALUE.sub(lambda value: '"' + "." * (len(value[0]) - 2) + '"', query)
    for found in _SELECTOR.finditer(hidden):
        yield Selector(found[1], tuple(_MATCHER.findall(query, found.end(1), found.end())))


def grouped_labels(query: str) -> set[str]:
    """Return the labels that the query groups or joins by."""
    return {label.strip() for group in _GROUPED.findall(query) for label in group.split(",") if label.strip()}
