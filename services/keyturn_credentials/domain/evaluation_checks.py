"""Checks of token requests and access tokens, in the order in which verifiers make them. Pure."""

from typing import Final

from keyturn_credentials.domain.evaluation import Check
from keyturn_shared.client_authenticators import AuthenticatorId


def _check(name: str, codes: str, passed: str, claims: str = "") -> Check:
    return Check(name, frozenset(codes.split()), passed, frozenset(claims.split()))


ASSERTION: Final = _check(
    "assertion",
    "malformed algorithm_not_allowed invalid_request wrong_issuer",
    "It is a well-formed signed JWT of this client.",
)
ACCESS_TOKEN: Final = _check(
    "access_token", "malformed algorithm_not_allowed", "It is a well-formed signed JWT."
)
REALM: Final = _check("realm", "unknown_realm unavailable", "The realm is enabled.")
CLIENT: Final = _check("client", "unknown_client", "The client exists.", "client_id")
ENABLED: Final = _check("client_enabled", "client_disabled", "The client is enabled.")
AUTHENTICATOR: Final = _check(
    "authenticator", "authenticator_mismatch", "The client is registered for this way to authenticate."
)
CREDENTIAL: Final = _check(
    "credential",
    "wrong_secret secret_expired unknown_kid key_revoked keys_unavailable wrong_issuer issuer_disabled",
    "A credential is registered.",
)
SECRET: Final = _check("secret", "wrong_secret secret_expired seal_broken", "The secret matches.")
IDENTITY_PROVIDER: Final = _check(
    "identity_provider",
    "wrong_issuer issuer_disabled",
    "The assertion is from the client's identity provider.",
)
ALGORITHM: Final = _check("algorithm", "algorithm_not_allowed", "The algorithm is allowed.")
KEY: Final = _check("key", "unknown_kid keys_unavailable", "The key is known.")
SIGNATURE: Final = _check(
    "signature", "bad_signature keys_not_tried shared_secret_not_held seal_broken", "The signature is valid."
)
NOT_REVOKED_KEY: Final = _check("key_not_revoked", "key_revoked", "The key is not revoked.")
TYPE: Final = _check("type", "malformed", "The type in the header is the right one.")
ISSUER: Final = _check("issuer", "wrong_issuer", "iss and sub are right.", "iss sub")
SUBJECT: Final = _check(
    "subject", "wrong_subject subject_revoked wrong_issuer", "The subject is the client's.", "sub"
)
AUDIENCE: Final = _check("audience", "wrong_audience", "The audience is right.", "aud")
CONDITIONS: Final = _check("conditions", "condition_not_met", "All required claims have their values.")
EXPIRY: Final = _check("expiry", "expired", "It has not expired.", "exp")
NOT_BEFORE: Final = _check("not_before", "not_yet_valid", "It is valid already.")
LIFETIME: Final = _check("lifetime", "lifetime_too_long", "Its lifetime is short enough.")
SINGLE_USE: Final = _check(
    "single_use",
    "replayed before_replay_barrier redis_unavailable",
    "It has not been used yet.",
    "jti",
)
SERVICE_ACCOUNT: Final = _check(
    "service_account", "unauthorized_client", "The client may use the client credentials grant."
)
SCOPE: Final = _check("scope", "invalid_scope", "The client may have these scopes.")
RESOURCE: Final = _check("resource", "invalid_target", "The client may have tokens for this audience.")
TOKEN: Final = _check(
    "token", "unauthorized_client invalid_scope unavailable seal_broken", "A token can be issued."
)
NOT_ENDED: Final = _check("token_not_ended", "token_ended", "Tokens of this time are still accepted.")
NOT_REVOKED: Final = _check("token_not_revoked", "token_revoked", "The token is not revoked.")
SENDER_CONSTRAINT: Final = "sender_constraint"
"""Name of a check that no evaluation can make."""

_FIRST: Final = (REALM, CLIENT, ENABLED, AUTHENTICATOR)
_TIMES: Final = (EXPIRY, NOT_BEFORE, LIFETIME, SINGLE_USE)
WITHOUT_CREDENTIAL: Final = (REALM, CLIENT, ENABLED, CREDENTIAL)
BY_SECRET: Final = (*_FIRST, SECRET)
_BY_KEY: Final = (
    *_FIRST,
    *(ALGORITHM, KEY, SIGNATURE, NOT_REVOKED_KEY),
    *(TYPE, ISSUER, AUDIENCE),
    *_TIMES,
)
_BY_MAC: Final = tuple(check for check in _BY_KEY if check not in (KEY, NOT_REVOKED_KEY))
_BY_ISSUER: Final = (
    *_FIRST,
    IDENTITY_PROVIDER,
    *(ALGORITHM, KEY, SIGNATURE, NOT_REVOKED_KEY),
    *(TYPE, SUBJECT, AUDIENCE, CONDITIONS),
    *_TIMES,
)
GRANT: Final = (SERVICE_ACCOUNT, SCOPE, RESOURCE)
VERIFICATION: Final = (
    *(REALM, TYPE, KEY, ALGORITHM, SIGNATURE, ISSUER, AUDIENCE, EXPIRY, NOT_BEFORE),
    *(CLIENT, ENABLED, NOT_ENDED, NOT_REVOKED),
)


def checks_of_assertion(authenticator: AuthenticatorId) -> tuple[Check, ...]:
    """Return the checks of an assertion for a client with this authenticator, after ASSERTION."""
    if authenticator == "client-secret-jwt":
        return _BY_MAC
    return _BY_ISSUER if authenticator == "federated-jwt" else _BY_KEY
