"""Durations in words. Pure."""

from typing import Final

_UNITS: Final = ((86_400, "days"), (3_600, "hours"), (60, "minutes"))


def span(seconds: float) -> str:
    """Return a duration in its largest unit of which there are two or more."""
    for size, name in _UNITS:
        if abs(seconds) >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} s"


def ago(seconds: float) -> str:
    return f"{span(seconds)} ago"
