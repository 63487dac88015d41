"""Differences between what both sides gave one client. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from keyturn.migrate.compare.expectations import ABSENT, Pair, reason_for

_PER_TOKEN: Final = frozenset({"exp", "iat", "nbf", "auth_time", "jti"})
"""Claims that differ from one token to the next; their presence and the lifetime are compared."""
_LISTS_OF_WORDS: Final = frozenset({"scope"})
_NOT_COMPARED: Final = frozenset({"access_token", "refresh_token", "id_token"})
"""Members of a response of which only the presence is compared."""
LIFETIME: Final = "lifetime"
_TOLERANCE: Final = 1
"""Seconds by which lifetimes may differ: the clock can tick between two reads of it."""


@dataclass(frozen=True, slots=True)
class Granted:
    """A token that one side issued. ``response``: of the token endpoint; ``introspection``: of the token,
    None if it was not asked for; ``signature``: the fault, None if a published key of the realm made it."""

    response: Mapping[str, Any]
    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    introspection: Mapping[str, Any] | None
    signature: str | None


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal of one side."""

    status: int
    error: str


@dataclass(frozen=True, slots=True)
class Sides:
    """Facts about both sides that a comparison needs; see ``Pair``."""

    issuers: tuple[str, str]
    client_id: str
    has_account: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference. ``reason``: for which it is expected, None if it is unexplained."""

    where: str
    name: str
    keycloak: Any
    keyturn: Any
    reason: str | None


def differences(sides: Sides, keycloak: Granted | Refused, keyturn: Granted | Refused) -> list[Difference]:
    """Compare what both sides gave. No difference is left out: each has its reason, or none."""
    return [
        Difference(pair.where, pair.name, pair.keycloak, pair.keyturn, reason_for(pair))
        for pair in _pairs(sides, keycloak, keyturn)
    ]


def _pairs(sides: Sides, keycloak: Granted | Refused, keyturn: Granted | Refused) -> Iterator[Pair]:
    def pair(where: str, name: str, left: Any, right: Any) -> Pair:
        return Pair(where, name, left, right, sides.issuers, sides.client_id, sides.has_account)

    if isinstance(keycloak, Granted) and isinstance(keyturn, Granted):
        for where, left, right in (
            ("response", keycloak.response, keyturn.response),
            ("header", keycloak.header, keyturn.header),
            ("claims", keycloak.claims, keyturn.claims),
        ):
            yield from (pair(where, *each) for each in _members(left, right))
        if keycloak.introspection is not None and keyturn.introspection is not None:
            yield from (
                pair("introspection", *each)
                for each in _introspections(keycloak.introspection, keyturn.introspection)
            )
        if keycloak.signature is not None or keyturn.signature is not None:
            yield pair("header", "signature", keycloak.signature or "valid", keyturn.signature or "valid")
    elif isinstance(keycloak, Refused) and isinstance(keyturn, Refused):
        if keycloak.error != keyturn.error:
            yield pair("refusal", "error", keycloak.error, keyturn.error)
        if keycloak.status != keyturn.status:
            yield pair("refusal", "status", keycloak.status, keyturn.status)
    else:
        yield pair("response", "outcome", _outcome(keycloak), _outcome(keyturn))


def _outcome(seen: Granted | Refused) -> str:
    return "a token" if isinstance(seen, Granted) else f"{seen.status} {seen.error}"


def _introspections(left: Mapping[str, Any], right: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Compare two answers. Where one side says only that the token is inactive, that is the difference."""
    if left.get("active") is not right.get("active"):
        yield "active", left.get("active"), right.get("active")
    else:
        yield from _members(left, right)


def _members(left: Mapping[str, Any], right: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name in sorted(left.keys() | right.keys()):
        ours, theirs = right.get(name, ABSENT), left.get(name, ABSENT)
        if (ours is ABSENT) != (theirs is ABSENT):
            hide = name in _NOT_COMPARED
            yield name, "present" if hide and theirs else theirs, "present" if hide and ours else ours
        elif name not in _PER_TOKEN and name not in _NOT_COMPARED and not _is_same(name, theirs, ours):
            yield name, theirs, ours
    lifetimes = _lifetime(left), _lifetime(right)
    if None not in lifetimes and not _is_same("expires_in", *lifetimes):
        yield LIFETIME, *lifetimes


def _is_same(name: str, left: Any, right: Any) -> bool:
    if name == "expires_in" and isinstance(left, int) and isinstance(right, int):
        return abs(left - right) <= _TOLERANCE
    return _canonical(_as_words(name, left)) == _canonical(_as_words(name, right))


def _as_words(name: str, value: Any) -> Any:
    """Return an array for a member that is one in another form: words of a scope, a single audience (RFC 7519
    section 4.1.3)."""
    if isinstance(value, str) and name in _LISTS_OF_WORDS:
        return value.split()
    return [value] if isinstance(value, str) and name == "aud" else value


def _canonical(value: Any) -> str:
    """Return a text that is the same for values that differ only in the order of members and arrays."""
    if isinstance(value, Mapping):
        return repr(sorted((name, _canonical(inner)) for name, inner in value.items()))
    if isinstance(value, list):
        return repr(sorted(map(_canonical, value)))
    return repr(value)


def _lifetime(claims: Mapping[str, Any]) -> int | None:
    issued, expires = claims.get("iat"), claims.get("exp")
    return (
        int(expires - issued)
        if isinstance(issued, int | float) and isinstance(expires, int | float)
        else None
    )
