"""Differences between what both sides gave one client. Pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from keyturn.migrate.compare.expectations import ABSENT, Pair, Sides, Tokens, reason_for
from keyturn_credentials.domain.client import account_id_from
from keyturn_shared.projection import CLIENT_UUID

_PER_TOKEN: Final = frozenset({"exp", "iat", "nbf", "auth_time", "jti"})
"""Claims that differ from one token to the next; their presence, the lifetime and its start are compared."""
_LISTS_OF_WORDS: Final = frozenset({"scope"})
_NOT_COMPARED: Final = frozenset({"access_token", "refresh_token", "id_token"})
"""Members of a response of which only the presence is compared."""
LIFETIME: Final = "lifetime"
_TOLERANCE: Final = 1
"""Seconds by which lifetimes may differ: the clock can tick between two reads of it."""
_SAME_MOMENT: Final = 180
"""Seconds between tokens that were asked for at once: a slow call, and clocks that differ a little."""
_UNKNOWN: Final = "unknown"
_CREDENTIAL_REFUSED: Final = "Invalid client"
"""Begins the description of Keycloak's that refuses a credential."""


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
    """A refusal of one side. ``description``: its ``error_description``, "" if it has none."""

    status: int
    error: str
    description: str


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
    tokens = _facts(keycloak, keyturn)

    def pair(where: str, name: str, left: Any, right: Any) -> Pair:
        return Pair(where, name, left, right, sides, tokens)

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


def _facts(keycloak: Granted | Refused, keyturn: Granted | Refused) -> Tokens:
    uuid = keyturn.claims.get(CLIENT_UUID) if isinstance(keyturn, Granted) else None
    subject = account_id_from(uuid) if isinstance(uuid, str) else None
    if isinstance(keycloak, Refused):
        return Tokens((), subject, keycloak.description.startswith(_CREDENTIAL_REFUSED))
    audiences = _as_words("aud", keycloak.claims.get("aud"))
    return Tokens(audiences if isinstance(audiences, list) else (), subject)


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
    first, second = _number(left.get("iat")), _number(right.get("iat"))
    if first is not None and second is not None and abs(first - second) > _SAME_MOMENT:
        yield "iat", first, second
    for name, shown in (("exp", LIFETIME), ("nbf", "nbf")):
        if name in left and name in right:
            yield from _times(shown, _seconds(left, name), _seconds(right, name))


def _times(name: str, left: float | None, right: float | None) -> Iterator[tuple[str, Any, Any]]:
    """Compare seconds after the issue of each token. Those that cannot be told are no others' equals."""
    if left is None or right is None or not _is_near(left, right):
        yield name, _UNKNOWN if left is None else left, _UNKNOWN if right is None else right


def _is_same(name: str, left: Any, right: Any) -> bool:
    if name == "expires_in" and isinstance(left, int) and isinstance(right, int):
        return _is_near(left, right)
    return canonical(_as_words(name, left)) == canonical(_as_words(name, right))


def _is_near(left: float, right: float) -> bool:
    return abs(left - right) <= _TOLERANCE


def _as_words(name: str, value: Any) -> Any:
    """Return an array for a member that is one in another form: words of a scope, a single audience (RFC 7519
    section 4.1.3)."""
    if isinstance(value, str) and name in _LISTS_OF_WORDS:
        return value.split()
    return [value] if isinstance(value, str) and name == "aud" else value


def canonical(value: Any) -> str:
    """Return a text that is the same for values that differ only in the order of members and arrays."""
    return _text(_ordered(value))


def _ordered(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _ordered(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return sorted(map(_ordered, value), key=_text)
    return value


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _seconds(claims: Mapping[str, Any], name: str) -> float | None:
    """Return the seconds from the time of issue until a time, None if they cannot be told."""
    issued, time = _number(claims.get("iat")), _number(claims.get(name))
    return None if issued is None or time is None else time - issued


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) else None
