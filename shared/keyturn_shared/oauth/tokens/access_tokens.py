"""Issues access tokens as JWTs (RFC 9068), with the claims that Keycloak gives service accounts."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from keyturn_shared.clock import Clock
from keyturn_shared.jose import base64url
from keyturn_shared.jose.compact import MAX_TOKEN_BYTES
from keyturn_shared.oauth.claims.mapped_claims import with_notes
from keyturn_shared.oauth.claims.token_profile import ACR
from keyturn_shared.oauth.entities import RealmState
from keyturn_shared.oauth.errors import InvalidScopeError, UnauthorizedClientError, UnavailableError
from keyturn_shared.oauth.sender_constraint.confirmation import DPOP_KEY
from keyturn_shared.oauth.tokens.ended_tokens import generation_of, not_before_policy
from keyturn_shared.oauth.tokens.grant import Grant
from keyturn_shared.projection import (
    CLIENT_UUID,
    TOKEN_GENERATION,
    ClientProjection,
    has_plain_tokens,
    service_account_name,
)

BEARER: Final = "Bearer"
DPOP: Final = "DPoP"  # RFC 9449 section 5
_JTI_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """An issued access token. ``expires_in``: seconds. ``token_type``: the scheme under which it must be
    sent. ``not_before_policy``: tokens of the client issued before this are void (NumericDate seconds)."""

    token: str
    expires_in: int
    scope: str
    token_type: str = BEARER
    not_before_policy: int = 0


class AccessTokenIssuer:
    """Signs with the realm's active key."""

    def __init__(self, clock: Clock, random: Callable[[int], bytes] = os.urandom) -> None:
        self._clock = clock
        self._random = random

    def issue(
        self,
        realm: RealmState,
        client: ClientProjection,
        grant: Grant,
        confirmation: Mapping[str, str] | None = None,
        address: str = "",
    ) -> IssuedToken:
        """Issue a token to the client, bound to ``confirmation`` (``cnf``, RFC 7800) if given. ``address``:
        the caller's, for claims that have it. Raises UnavailableError while the realm has no active key,
        UnauthorizedClientError if the client's tokens may not be signed with that key, and InvalidScopeError
        if verifiers would not read a token that long."""
        if realm.signer is None:
            raise UnavailableError("the realm has no active signing key")
        alg = client.access_token_alg
        signer = realm.signer if alg is None else realm.signers.get(alg)
        if signer is None:
            raise UnauthorizedClientError(
                f"The client's tokens must be signed with {alg};"
                f" the realm signs with {', '.join(realm.signers)}"
            )
        has_plain_type = has_plain_tokens(realm.projection, client)
        header = signer.plain_header if has_plain_type else signer.header
        now = int(self._clock.now())
        lifespan = client.access_token_lifespan or realm.projection.access_token_lifespan
        audiences = grant.audiences or (realm.urls.issuer,)
        token_type = token_type_of(confirmation) if confirmation else BEARER
        claims: dict[str, object] = {
            "iss": realm.urls.issuer,
            "sub": client.subject or client.client_id,
            "aud": audiences[0] if len(audiences) == 1 else audiences,
            "exp": now + lifespan,
            "iat": now,
            "jti": base64url.encode_text(self._random(_JTI_BYTES)),
            "client_id": client.client_id,
            "azp": client.client_id,
            CLIENT_UUID: client.uuid,
            "typ": token_type,
            "scope": grant.scope,
        }
        if not client.lightweight_tokens:
            claims["acr"] = ACR
            claims["preferred_username"] = service_account_name(client.client_id)
        if grant.notes and address:
            claims.update(with_notes(grant.claims, grant.notes, address))
        elif grant.claims:
            claims.update(grant.claims)
        if generation := generation_of(realm.projection, client):
            claims[TOKEN_GENERATION] = generation
        if confirmation:
            claims["cnf"] = confirmation
        token = signer.key.sign_compact(header, claims)
        if len(token) > MAX_TOKEN_BYTES:
            raise InvalidScopeError(
                f"With all roles, mapped claims, scopes and audiences, the token has {len(token)} bytes;"
                f" verifiers read at most {MAX_TOKEN_BYTES}. Request fewer, or give the client fewer roles"
                " and mappers."
            )
        return IssuedToken(
            token,
            lifespan,
            grant.scope,
            token_type,
            not_before_policy(realm.projection, client),
        )


def token_type_of(confirmation: Mapping[str, str]) -> str:
    """Return the scheme for tokens with this binding: RFC 6750, or RFC 9449 section 7.1."""
    return DPOP if DPOP_KEY in confirmation else BEARER
