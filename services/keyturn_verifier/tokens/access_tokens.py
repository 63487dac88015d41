"""Issues access tokens as JWTs (RFC 9068)."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from keyturn_shared.clock import Clock
from keyturn_shared.jose import base64url
from keyturn_shared.projection import CLIENT_UUID, ClientProjection
from keyturn_verifier.errors import UnavailableError
from keyturn_verifier.node.states import RealmState
from keyturn_verifier.possession.confirmation import DPOP_KEY
from keyturn_verifier.tokens.grant import Grant

BEARER: Final = "Bearer"
DPOP: Final = "DPoP"  # RFC 9449 section 5
_JTI_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """An access token for the wire. ``expires_in``: seconds. ``token_type``: how it has to be brought."""

    token: str
    expires_in: int
    scope: str
    token_type: str = BEARER


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
    ) -> IssuedToken:
        """A token for the client, bound to ``confirmation`` (``cnf``, RFC 7800) if there is any.

        Raises UnavailableError while the realm has no active key.
        """
        key, header = realm.signing_key, realm.token_header
        if key is None or header is None:
            raise UnavailableError("the realm has no active signing key")
        now = int(self._clock.now())
        lifespan = client.access_token_lifespan or realm.projection.access_token_lifespan
        audiences = grant.audiences or (realm.urls.issuer,)
        claims: dict[str, object] = {
            "iss": realm.urls.issuer,
            "sub": client.client_id,
            "aud": audiences[0] if len(audiences) == 1 else audiences,
            "exp": now + lifespan,
            "iat": now,
            "jti": base64url.encode_text(self._random(_JTI_BYTES)),
            "client_id": client.client_id,
            "azp": client.client_id,
            CLIENT_UUID: client.uuid,
        }
        if grant.scope:
            claims["scope"] = grant.scope
        token_type = BEARER
        if confirmation:
            claims["cnf"] = confirmation
            token_type = token_type_of(confirmation)
        return IssuedToken(key.sign_compact(header, claims), lifespan, grant.scope, token_type)


def token_type_of(confirmation: Mapping[str, str]) -> str:
    """How a token bound in this way has to be brought: RFC 6750, or RFC 9449 section 7.1."""
    return DPOP if DPOP_KEY in confirmation else BEARER
