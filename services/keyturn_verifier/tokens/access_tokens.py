"""Issues access tokens as JWTs (RFC 9068)."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from keyturn_shared.clock import Clock
from keyturn_shared.jose import base64url
from keyturn_shared.projection import ClientProjection
from keyturn_verifier.errors import UnavailableError
from keyturn_verifier.node.states import RealmState
from keyturn_verifier.tokens.grant import Grant

_JTI_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """An access token for the wire. ``expires_in``: seconds."""

    token: str
    expires_in: int
    scope: str


class AccessTokenIssuer:
    """Signs with the realm's active key."""

    def __init__(self, clock: Clock, random: Callable[[int], bytes] = os.urandom) -> None:
        self._clock = clock
        self._random = random

    def issue(self, realm: RealmState, client: ClientProjection, grant: Grant) -> IssuedToken:
        """A token for the client. Raises UnavailableError while the realm has no active key."""
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
        }
        if grant.scope:
            claims["scope"] = grant.scope
        return IssuedToken(key.sign_compact(header, claims), lifespan, grant.scope)
