"""Checks a claims set (RFC 7519 section 4) for types and times. Pure: the time is an argument."""

import math
from collections.abc import Mapping
from typing import Any, Final

from keyturn_shared.jose.errors import (
    ExpiredError,
    LifetimeTooLongError,
    MalformedError,
    MissingClaimError,
    NotYetValidError,
)

CLOCK_SKEW_SECONDS: Final = 15
"""The leeway for every comparison with a clock; Keycloak's value."""
MAX_LIFETIME_SECONDS: Final = 60
"""Maximum lifetime of a client assertion, unless its client is configured otherwise; Keycloak's value."""

_LATEST: Final = 253_402_300_799  # 9999-12-31T23:59:59Z; later dates do not fit a datetime


def refuse_mistyped(claims: Mapping[str, Any]) -> None:
    """Raise MalformedError if a registered claim has a type or value that RFC 7519 4.1 does not give it."""
    for name in ("iss", "sub", "jti"):
        if type(claims.get(name, "")) is not str:
            raise MalformedError(f"{name} is not a string")
    audience = claims.get("aud", "")
    if type(audience) is not str and not (
        type(audience) is list and all(type(entry) is str for entry in audience)
    ):
        raise MalformedError("aud is neither a string nor an array of strings")
    for name in ("exp", "nbf", "iat"):
        date = claims.get(name, 0)
        # By exact type: true is an int to isinstance.
        if (type(date) is not int and type(date) is not float) or not 0 <= date <= _LATEST:
            raise MalformedError(f"{name} is not a NumericDate from 1970 to 9999")


def check_times(
    claims: Mapping[str, Any],
    *,
    now: float,
    leeway: float = CLOCK_SKEW_SECONDS,
    lifetime_cap: float | None = MAX_LIFETIME_SECONDS,
    cap_declared_lifetime: bool = False,
) -> float:
    """Judge ``exp``, ``nbf`` and ``iat`` of claims that ``parse_compact`` has read.

    All times are seconds, ``now`` since 1970. Returns the moment from which on these claims will be refused,
    which is how long their ``jti`` has to be remembered.

    ``exp`` is required. ``lifetime_cap`` bounds use, not only expiry: a token is good while it is not older
    than the cap, by ``iat`` and in whole seconds, as in Keycloak; ``exp`` may lie later. Without ``iat`` it
    is refused while ``exp`` lies further ahead than the cap. With ``cap_declared_lifetime``, ``exp - iat``
    over the cap is refused at once, however young the token. None: no cap.

    Raises MissingClaimError, ExpiredError, NotYetValidError, LifetimeTooLongError.
    """
    expires = claims.get("exp")
    if expires is None:
        raise MissingClaimError("exp")
    refused_from: float = expires + leeway
    if now >= refused_from:
        raise ExpiredError(f"expired {now - expires:.0f} s ago")
    not_before, issued = claims.get("nbf"), claims.get("iat")
    if not_before is not None and not_before > now + leeway:
        raise NotYetValidError(f"nbf is {not_before - now:.0f} s in the future")
    if issued is not None and issued > now + leeway:
        raise NotYetValidError(f"iat is {issued - now:.0f} s in the future")
    if lifetime_cap is None:
        return refused_from
    if issued is None:
        if expires - now > lifetime_cap + leeway:
            raise LifetimeTooLongError(f"no iat, and exp is {expires - now:.0f} s ahead")
        return refused_from
    if cap_declared_lifetime and expires - issued > lifetime_cap:
        raise LifetimeTooLongError(f"exp is {expires - issued:.0f} s after iat")
    # Without the leeway: what a clock that is behind takes from a lifetime, a longer cap gives back.
    too_old_from: float = math.floor(issued + lifetime_cap) + 1
    if now >= too_old_from:
        raise LifetimeTooLongError(f"issued {now - issued:.0f} s ago")
    return min(refused_from, too_old_from)
