"""Comparison of two introspections of one token. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from keyturn_shared.jose import strict_json

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


def _form(name: str, answer: Mapping[str, Any]) -> bytes:
    """Return a text that is the same for values that differ only in the order of arrays and words."""
    value = answer.get(name)
    if isinstance(value, str) and name in ("scope", "aud"):
        value = value.split() if name == "scope" else [value]
    return canonical(value)


def canonical(value: Any) -> bytes:
    """Return the JSON of a value with the members of objects, and the elements of arrays, in one order."""
    return strict_json.encode(_ordered(value))


def _ordered(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _ordered(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return sorted(map(_ordered, value), key=strict_json.encode)
    return value
