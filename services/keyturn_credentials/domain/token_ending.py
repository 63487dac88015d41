"""Ending all tokens of a client or realm that were issued so far. Pure."""

from collections.abc import Mapping
from typing import Any, Final, TypeGuard

from keyturn_credentials.errors import InvalidRequestError

NOT_BEFORE: Final = "notBefore"
_LATEST: Final = 2**31 - 1
"""Keycloak stores it as an int."""


def read_not_before(document: Mapping[str, Any]) -> int:
    """Return ``notBefore`` of a client or realm, 0 without one. Earlier builds accepted any value."""
    value = document.get(NOT_BEFORE)
    return value if _is_time(value) else 0


def check_not_before(representation: Mapping[str, Any]) -> None:
    """Raise InvalidRequestError for a ``notBefore`` that is not a time."""
    value = representation.get(NOT_BEFORE)
    if value is not None and not _is_time(value):
        raise InvalidRequestError(f"{NOT_BEFORE} must be a time in seconds since 1970, 0 to {_LATEST}")


def _is_time(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= _LATEST


def next_generation(
    generation: int, *, may_before: bool, may_after: bool, not_before: tuple[int, int], now: float
) -> int:
    """Return the generation of tokens issued from now on; tokens of a lower one are refused.

    ``may_before``, ``may_after``: whether the client or realm could have tokens before and after the change.
    Disabling and enabling must not revive earlier tokens. ``not_before``: the former and the new value. A
    value at the current second or later means all tokens issued so far, including those of this very second,
    which its comparison alone (Keycloak's ``iat < notBefore``) would spare.
    """
    former, new = not_before
    ended = (may_before and not may_after) or (new > former and new >= int(now))
    return generation + 1 if ended else generation
