"""``Keyturn-Notice``: what a successful call leaves to be known."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from keyturn_credentials.domain.mapper_effects import without_effect

NOTICE: Final = "Keyturn-Notice"
_MOST: Final = 5
"""Mappers or keys that a notice describes; further ones are counted."""


def notice(notes: Sequence[str]) -> dict[str, str]:
    """Return the header with these notes; none if there are none."""
    if not notes:
        return {}
    more = f"; and {len(notes) - _MOST} more" if len(notes) > _MOST else ""
    text = "; ".join(notes[:_MOST]) + more
    return {NOTICE: "".join(character if " " <= character <= "~" else "?" for character in text)}


def mapper_notice(mappers: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the header about mappers that were stored and have no effect; none if all have one."""
    return notice(without_effect(mappers))
