"""Comparison of two introspections of one token. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

COMPARED: Final = (
    *("client_id", "sub", "username", "scope", "aud", "exp", "token_type"),
    *("realm_access", "resource_access"),
)
"""Members that are compared where both sides describe the token."""


class Kind(StrEnum):
    """Outcome of one comparison."""

    AGREED = "agreed"
    DIFFERED = "differed"
    ONLY_HERE = "only_here"
    ONLY_THERE = "only_there"


def compare(here: Mapping[str, Any], there: Mapping[str, Any]) -> tuple[Kind, tuple[str, ...]]:
    """Return the outcome, and the members that differ."""
    ours, theirs = here.get("active") is True, there.get("active") is True
    if ours != theirs:
        return (Kind.ONLY_HERE if ours else Kind.ONLY_THERE), ()
    if not ours:
        return Kind.AGREED, ()
    different = tuple(name for name in COMPARED if _form(name, here) != _form(name, there))
    return (Kind.DIFFERED if different else Kind.AGREED), different


def _form(name: str, answer: Mapping[str, Any]) -> str:
    """Return a text that is the same for values that differ only in the order of arrays and words."""
    value = answer.get(name)
    if isinstance(value, str) and name in ("scope", "aud"):
        value = value.split() if name == "scope" else [value]
    return _canonical(value)


def _canonical(value: Any) -> str:
    if isinstance(value, Mapping):
        return repr(sorted((name, _canonical(inner)) for name, inner in value.items()))
    if isinstance(value, list):
        return repr(sorted(map(_canonical, value)))
    return repr(value)
