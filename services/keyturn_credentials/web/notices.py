"""``Keyturn-Notice``: what a successful call leaves to be known."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from keyturn_credentials.domain.mapper_effects import without_effect

NOTICE: Final = "Keyturn-Notice"
_MOST: Final = 5
"""Mappers that a notice describes; further ones are counted."""


def mapper_notice(mappers: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the header about mappers that were stored and have no effect; none if all have one."""
    found = without_effect(mappers)
    if not found:
        return {}
    more = f"; and {len(found) - _MOST} more" if len(found) > _MOST else ""
    text = "; ".join(found[:_MOST]) + more
    return {NOTICE: "".join(character if " " <= character <= "~" else "?" for character in text)}
