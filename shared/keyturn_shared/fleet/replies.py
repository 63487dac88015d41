"""Reading what the scripts answer."""

from collections.abc import Sequence
from typing import Any


def as_text(value: Any) -> str:
    """A reply as text. Redis gives bytes; an absent value is the empty string."""
    if value is None or value is False:
        return ""
    return value.decode() if isinstance(value, bytes) else str(value)


def pairs(flat: Sequence[Any]) -> dict[str, str]:
    """A flat list of field, value, field, value … as a dictionary of text."""
    return {as_text(flat[i]): as_text(flat[i + 1]) for i in range(0, len(flat), 2)}
