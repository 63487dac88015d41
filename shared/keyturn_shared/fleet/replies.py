"""Decoding of script replies."""

from collections.abc import Sequence
from typing import Any


def as_text(value: Any) -> str:
    """Decode a reply as text; an absent value is the empty string. Invalid UTF-8 was not written by keyturn,
    and decodes to text that keyturn does not write either."""
    if value is None or value is False:
        return ""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def pairs(flat: Sequence[Any]) -> dict[str, str]:
    """Return a flat list of field, value, field, value … as a dictionary of text."""
    return {as_text(flat[i]): as_text(flat[i + 1]) for i in range(0, len(flat), 2)}
