"""Introspection responses as JWTs (RFC 9701): proof for the caller of what this realm has stated."""

from typing import Final

import msgspec

from keyturn_shared.clock import Clock
from keyturn_shared.oauth.entities import RealmState
from keyturn_shared.oauth.errors import UnavailableError

TYPE: Final = "token-introspection+jwt"  # RFC 9701 section 5


class IntrospectionSigner:
    """Signs with the realm's active key."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def sign(self, realm: RealmState, caller: str, answer: bytes) -> str:
        """Sign the response, given in JSON, for its caller. Raises UnavailableError while the realm has no
        active key."""
        key = realm.signing_key
        if key is None:
            raise UnavailableError("the realm has no active signing key")
        claims = {
            "iss": realm.urls.issuer,
            "aud": caller,
            "iat": int(self._clock.now()),
            "token_introspection": msgspec.Raw(answer),
        }
        return key.sign_compact(key.header_segment(TYPE), claims)
