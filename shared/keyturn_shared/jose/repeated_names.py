"""Repeated member names in a JSON text, and their places, for the person who must fix it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

_PLAIN: Final = re.compile(r"[A-Za-z0-9_$-]{1,40}\Z")
_SHOWN: Final = 40
_UNPRINTABLE: Final = re.compile(r"[^ !#-\[\]-~]")
"""Characters not allowed in an OAuth error description (RFC 6749 section 5.2)."""


@dataclass(frozen=True, slots=True)
class RepeatedName:
    """``path``: ``clients[0].baseUrl``. ``is_same``: whether it has the same value each time."""

    path: str
    is_same: bool


class _Object(dict[str, Any]):
    """``repeated``: names that the text has more than once, and whether with one value."""

    repeated: dict[str, bool]


def repeated_names(text: str) -> Iterator[RepeatedName]:
    """Yield repeated names in the order of the text's objects, outer before inner. ``text`` is JSON."""
    return _repeated_in(_read(text), "")


def _note(members: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(members)
    if len(plain) == len(members):
        return plain
    found = _Object()
    found.repeated = {}
    for name, value in members:
        if name in found:
            found.repeated[name] = found.repeated.get(name, True) and _is_equal(found[name], value)
        found[name] = value
    return found


_read: Final = json.JSONDecoder(object_pairs_hook=_note).decode


def _is_equal(one: Any, other: Any) -> bool:
    # In Python 1 == True == 1.0.
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _repeated_in(value: Any, path: str) -> Iterator[RepeatedName]:
    if isinstance(value, dict):
        if isinstance(value, _Object):
            for name, is_same in value.repeated.items():
                yield RepeatedName(_member(path, name), is_same)
        for name, inner in value.items():
            if isinstance(inner, dict | list):
                yield from _repeated_in(inner, _member(path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            if isinstance(inner, dict | list):
                yield from _repeated_in(inner, f"{path}[{index}]")


def _member(path: str, name: str) -> str:
    shown = name if _PLAIN.match(name) else f"'{_UNPRINTABLE.sub('?', name[:_SHOWN])}'"
    return f"{path}.{shown}" if path else shown
