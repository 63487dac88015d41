"""Tokens that were ended before they expire, by ``notBefore``, disabling or revocation. Pure."""

from collections.abc import Mapping
from typing import Any

from keyturn_shared.oauth.errors import TokenEndedError, TokenRevokedError
from keyturn_shared.projection import TOKEN_GENERATION, ClientProjection, RealmProjection, token_digest


def not_before_policy(realm: RealmProjection, client: ClientProjection) -> int:
    """Return the NumericDate before which no token of the client is valid (Keycloak's
    ``not-before-policy``)."""
    return max(realm.not_before, client.not_before)


def generation_of(realm: RealmProjection, client: ClientProjection) -> int:
    """Return how many times all tokens of the client were ended. Both counters only grow, so their sum does
    too."""
    return realm.token_generation + client.token_generation


def require_issued_since(claims: Mapping[str, Any], realm: RealmProjection, client: ClientProjection) -> None:
    """Raise TokenEndedError for a token issued before ``notBefore``, or without a time of issue."""
    policy = not_before_policy(realm, client)
    issued_at = claims.get("iat")
    if policy and (not isinstance(issued_at, int | float) or issued_at < policy):
        raise TokenEndedError("issued before notBefore")


def require_not_ended(claims: Mapping[str, Any], realm: RealmProjection, client: ClientProjection) -> None:
    """Raise TokenEndedError or TokenRevokedError for an access token of the realm that was ended."""
    require_issued_since(claims, realm, client)
    generation = claims.get(TOKEN_GENERATION, 0)
    # A node may be behind the one that issued the token, so a higher number is accepted.
    if not isinstance(generation, int) or generation < generation_of(realm, client):
        raise TokenEndedError(
            "issued before its client or realm was disabled, or before its tokens were revoked"
        )
    jti = claims.get("jti")
    if client.revoked_tokens and isinstance(jti, str) and token_digest(jti) in client.revoked_tokens:
        raise TokenRevokedError("revoked by its client")
