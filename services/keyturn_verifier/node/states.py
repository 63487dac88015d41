"""What a node holds in memory of a realm or a client, and the mark that says it is out of date."""

from typing import Final

from keyturn_shared.fleet.reading import Loaded
from keyturn_shared.jose import strict_json
from keyturn_shared.jose.errors import InvalidKeyError, InvalidKeySetError
from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import (
    ClientProjection,
    ProjectedSigningKey,
    ProjectionError,
    RealmProjection,
    decode_client,
    decode_realm,
)
from keyturn_shared.sealing import KeyRing
from keyturn_verifier.held_client import HeldClient
from keyturn_verifier.realm_urls import RealmUrls

ACCESS_TOKEN_TYPE: Final = "at+jwt"  # noqa: S105 - the media type of RFC 9068 2.1, without application/


class State:
    """Something read from Redis. Once ``superseded`` no answer may rest on it any more."""

    __slots__ = ("superseded",)

    def __init__(self) -> None:
        self.superseded = False


class AbsentState(State):
    """There is no such realm or client: Redis, known to be complete, said so."""

    __slots__ = ()


class ClientState(State):
    """A client."""

    __slots__ = ("projection",)

    def __init__(self, projection: ClientProjection) -> None:
        super().__init__()
        self.projection = HeldClient.of(projection)


class RealmState(State):
    """A realm with its keys ready for use.

    ``keys``: all published keys, for checking tokens. ``certs``: the same as a JWK Set in JSON.
    ``audiences``: what an assertion may name as its audience. ``mtls_urls``: where clients with certificates
    reach the endpoints, if elsewhere (RFC 8705 section 5). ``token_urls``: where the token endpoint is.
    ``signing_key`` and ``token_header``: None when no key is active.
    """

    __slots__ = (
        "algorithms",
        "audiences",
        "certs",
        "keys",
        "mtls_urls",
        "projection",
        "signing_key",
        "token_header",
        "token_urls",
        "urls",
    )

    def __init__(
        self, projection: RealmProjection, ring: KeyRing, base_url: str, mtls_base_url: str | None = None
    ) -> None:
        """Raises SealError, InvalidKeyError or InvalidKeySetError when the keys cannot be opened or read."""
        super().__init__()
        self.projection = projection
        self.urls = RealmUrls.of(base_url, projection.name)
        self.mtls_urls = None if mtls_base_url is None else RealmUrls.of(mtls_base_url, projection.name)
        self.token_urls = tuple(each.token for each in (self.urls, self.mtls_urls) if each is not None)
        strict = projection.strict_audience
        self.audiences = frozenset(
            {self.urls.issuer} if strict else {self.urls.issuer, self.urls.token, self.urls.introspection}
        )
        public_jwks = {"keys": [key.public_jwk for key in projection.signing_keys]}
        self.keys = KeySet.from_members(public_jwks)
        self.certs = strict_json.encode(public_jwks)
        self.algorithms = tuple(dict.fromkeys(key.alg for key in projection.signing_keys))
        active = next((key for key in projection.signing_keys if key.state == "active"), None)
        self.signing_key = None if active is None else _open(active, ring)
        self.token_header = (
            None if self.signing_key is None else self.signing_key.header_segment(ACCESS_TOKEN_TYPE)
        )


class StateReader:
    """Makes states of the values in Redis."""

    def __init__(self, ring: KeyRing, base_url: str, mtls_base_url: str | None = None) -> None:
        self._ring = ring
        self._base_url = base_url
        self._mtls_base_url = mtls_base_url

    def read(self, field: str, outcome: Loaded, value: bytes) -> State:
        """The state of a conclusive read. Raises ProjectionError and SealError."""
        if outcome is Loaded.ABSENT:
            return AbsentState()
        if field.startswith("realm:"):
            return self._realm(value)
        return ClientState(decode_client(value)[1])

    def _realm(self, value: bytes) -> RealmState:
        projection = decode_realm(value)[1]
        try:
            return RealmState(projection, self._ring, self._base_url, self._mtls_base_url)
        except (InvalidKeyError, InvalidKeySetError) as error:
            raise ProjectionError(f"a signing key of the realm cannot be used: {error.detail}") from error


def _open(key: ProjectedSigningKey, ring: KeyRing) -> SigningKey | None:
    if key.sealed_private_jwk is None:
        return None
    return SigningKey.from_private_jwk(ring.open(key.sealed_private_jwk, f"signing-key:{key.kid}"))
