"""Differences between tokens of Keycloak's and keyturn's that are by design, each with its reason. Pure."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from keyturn_shared.projection import CLIENT_UUID, TOKEN_GENERATION

ABSENT: Final = None
"""Value of a member that one side does not have."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Facts about both sides that hold for all members. ``issuers``: of Keycloak's realm and of keyturn's;
    ``client_id``: of the client that got the tokens; ``has_account``: False if the source did not have the
    client's service account; ``introspector``: client that asked about the tokens, None for that client."""

    issuers: tuple[str, str]
    client_id: str
    has_account: bool
    introspector: str | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """Facts about the answers of both sides. ``audiences``: of Keycloak's token; ``subject``: the one that
    keyturn derives for this client, None if that cannot be told; ``is_credential_refused``: whether Keycloak
    refused the credential, and not a client without a service account."""

    audiences: Collection[str] = ()
    subject: str | None = None
    is_credential_refused: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """A member with different values. ``where``: response, header, claims, introspection or refusal."""

    where: str
    name: str
    keycloak: Any
    keyturn: Any
    sides: Sides
    tokens: Tokens

    @property
    def only_keycloak(self) -> bool:
        return self.keyturn is ABSENT


@dataclass(frozen=True, slots=True)
class _Rule:
    where: frozenset[str]
    names: frozenset[str]
    applies: Callable[[Pair], bool]
    reason: str


def _rule(where: str, names: str, applies: Callable[[Pair], bool], reason: str) -> _Rule:
    return _Rule(frozenset(where.split()), frozenset(names.split()), applies, reason)


_TOKEN: Final = "claims introspection"  # noqa: S105 - names of parts
RULES: Final = (
    _rule(
        _TOKEN,
        "iss",
        lambda pair: (pair.keycloak, pair.keyturn) == pair.sides.issuers,
        "each side names itself as the issuer",
    ),
    _rule("header", "kid", lambda pair: bool(pair.keyturn), "each realm signs with keys of its own"),
    _rule(
        _TOKEN,
        "clientHost clientAddress",
        # Keycloak's introspection leaves them out of tokens that have them.
        lambda pair: pair.keycloak is not ABSENT or pair.where == "introspection",
        "it describes one request, not the client",
    ),
    _rule(
        _TOKEN,
        "email_verified email name given_name family_name address phone_number phone_number_verified",
        lambda pair: pair.only_keycloak,
        "it describes a person, and no token of keyturn's is about one",
    ),
    _rule(
        _TOKEN,
        "allowed-origins",
        lambda pair: pair.only_keycloak,
        "it is for browsers, which do not get tokens of service accounts",
    ),
    _rule(
        _TOKEN,
        f"{CLIENT_UUID} {TOKEN_GENERATION}",
        lambda pair: pair.keycloak is ABSENT,
        "keyturn's nodes recognise by it whether the token was revoked",
    ),
    _rule(
        _TOKEN,
        "aud",
        lambda pair: (
            pair.keycloak in (ABSENT, pair.sides.issuers[0]) and pair.keyturn == pair.sides.issuers[1]
        ),
        "RFC 9068 requires an audience: the issuer, if no other is named",
    ),
    _rule(
        _TOKEN,
        "client_id",
        lambda pair: pair.keycloak is ABSENT and pair.keyturn == pair.sides.client_id,
        "RFC 9068 requires the client's id",
    ),
    _rule(
        _TOKEN,
        "acr preferred_username username",
        lambda pair: (
            pair.keycloak is ABSENT
            and pair.keyturn == ("1" if pair.name == "acr" else f"service-account-{pair.sides.client_id}")
        ),
        "keyturn's tokens have it whatever scopes the client has",
    ),
    _rule(
        _TOKEN,
        "sub",
        lambda pair: (
            not pair.sides.has_account and pair.keyturn is not ABSENT and pair.keyturn == pair.tokens.subject
        ),
        "the source has no service account of this client, so its subject is derived from the client's id",
    ),
    _rule(
        "response claims introspection",
        "refresh_token refresh_expires_in session_state sid",
        lambda pair: pair.only_keycloak or pair.keyturn == 0,
        "keyturn has no sessions and issues no refresh tokens",
    ),
    _rule(
        "response",
        "id_token",
        lambda pair: pair.only_keycloak,
        "it describes a person, and no token of keyturn's is about one",
    ),
    _rule(
        "introspection",
        "active",
        lambda pair: (
            pair.keycloak is False
            and pair.keyturn is True
            and pair.sides.introspector in (None, pair.sides.client_id)
            and pair.sides.client_id not in pair.tokens.audiences
        ),
        "keyturn shows a token also to the client that it was issued to",
    ),
    _rule(
        "refusal",
        "error",
        lambda pair: (
            (pair.keycloak, pair.keyturn) == ("unauthorized_client", "invalid_client")
            and pair.tokens.is_credential_refused
        ),
        "RFC 6749 section 5.2 names failed client authentication invalid_client",
    ),
    _rule(
        "refusal",
        "status",
        lambda pair: {pair.keycloak, pair.keyturn} == {400, 401},
        "RFC 6749 section 5.2 lets a server choose between 400 and 401",
    ),
)


def reason_for(pair: Pair) -> str | None:
    """Return the reason for which this difference is expected, None if there is none."""
    for rule in RULES:
        if pair.where in rule.where and pair.name in rule.names and rule.applies(pair):
            return rule.reason
    return None


def expected_lines() -> Mapping[str, str]:
    """Return what is expected to differ, by place and names, with the reason: for the report."""
    return {
        f"{' and '.join(sorted(rule.where))}: {', '.join(sorted(rule.names))}": rule.reason for rule in RULES
    }
