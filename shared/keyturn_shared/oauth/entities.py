"""In-memory states of realms and clients, with the mark that they are out of date."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final, Protocol

from keyturn_shared.fleet.reading import Loaded
from keyturn_shared.jose import strict_json
from keyturn_shared.jose.errors import InvalidKeyError, InvalidKeySetError
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.oauth.cached_client import CachedClient
from keyturn_shared.oauth.claims.token_profile import TokenProfile, profile_of
from keyturn_shared.oauth.realm_urls import RealmUrls
from keyturn_shared.oauth.trusted_issuers import TrustedIssuers
from keyturn_shared.projection import (
    SUBJECT_PREFIX,
    ClientProjection,
    ProjectedSigningKey,
    ProjectionError,
    RealmProjection,
    decode_client,
    decode_realm,
    decode_subject,
)
from keyturn_shared.realm_rings import RealmRings
from keyturn_shared.sealing import KeyRing

ACCESS_TOKEN_TYPE: Final = "at+jwt"  # noqa: S105 - the media type of RFC 9068 2.1, without application/

_MAX_PROFILES: Final = 4096
_MAX_LOADED: Final = 256
_LOADED: Final[dict[bytes, SigningKey]] = {}
"""Private keys of this process, by the SHA-256 of their JWK."""
"""Token profiles that are kept per realm: making one costs less than a signature."""

PLAIN_TOKEN_TYPE: Final = "JWT"  # noqa: S105 - the media type of RFC 7519 5.1; Keycloak's default


class State:
    """Something read from Redis. Once it is ``superseded``, no answer may depend on it."""

    __slots__ = ("__weakref__", "superseded")

    def __init__(self) -> None:
        self.superseded = False


class AbsentState(State):
    """The realm or client does not exist: Redis, known to be complete, says so."""

    __slots__ = ()


class ClientState(State):
    """A client."""

    __slots__ = ("projection",)

    def __init__(self, projection: ClientProjection) -> None:
        super().__init__()
        self.projection = CachedClient.of(projection)


class SubjectState(State):
    """A subject of a trusted issuer, and the client that it stands for."""

    __slots__ = ("client_id",)

    def __init__(self, client_id: str) -> None:
        super().__init__()
        self.client_id = client_id


class CompactSigner(Protocol):
    """Signs tokens in compact serialization (``SigningKey``)."""

    verification_key: VerificationKey

    def header_segment(self, typ: str = "JWT") -> bytes:
        """Encode the header of tokens of one type."""
        ...

    def sign_compact(self, header: bytes, claims: Mapping[str, Any]) -> str:
        """Sign these claims under a header that ``header_segment`` made."""
        ...


class TokenSigner:
    """A key that signs access tokens, and the headers of its tokens of either type."""

    __slots__ = ("header", "key", "plain_header")

    def __init__(self, key: CompactSigner) -> None:
        self.key = key
        self.header = key.header_segment(ACCESS_TOKEN_TYPE)
        self.plain_header = key.header_segment(PLAIN_TOKEN_TYPE)


class RealmState(State):
    """A realm with its keys ready for use.

    ``keys``: all published keys, for checking tokens. ``certs``: the same as a JWK Set in JSON.
    ``audiences``: what an assertion may name as its audience. ``mtls_urls``: the endpoints' URLs for clients
    with certificates, if different (RFC 8705 section 5). ``token_urls``: URLs of the token endpoint.
    ``signers``: what signs, by algorithm. ``signer``: the one for clients that ask for no algorithm; None
    when no key is active. ``issuers``: those trusted to state who its clients are.
    """

    __slots__ = (
        "algorithms",
        "audiences",
        "certs",
        "issuers",
        "keys",
        "mtls_urls",
        "profiles",
        "projection",
        "signer",
        "signers",
        "token_urls",
        "urls",
    )

    def __init__(
        self,
        projection: RealmProjection,
        ring: KeyRing | None,
        base_url: str,
        mtls_base_url: str | None = None,
    ) -> None:
        """Create a realm that can verify, and sign if ``ring`` is given. Raises SealError, InvalidKeyError or
        InvalidKeySetError when the keys cannot be decrypted or read."""
        super().__init__()
        self.projection = projection
        self.urls = RealmUrls.of(base_url, projection.name)
        self.mtls_urls = None if mtls_base_url is None else RealmUrls.of(mtls_base_url, projection.name)
        self.token_urls = tuple(each.token for each in (self.urls, self.mtls_urls) if each is not None)
        strict = projection.strict_audience
        self.audiences = frozenset(
            {self.urls.issuer} if strict else {self.urls.issuer, self.urls.token, self.urls.introspection}
        )
        own = {self.urls.issuer} if strict else {self.urls.issuer, *self.token_urls}
        self.issuers = TrustedIssuers(projection.trusted_issuers, frozenset(own))
        public_jwks = {"keys": [key.public_jwk for key in projection.signing_keys]}
        self.keys = KeySet.from_members(public_jwks)
        self.certs = strict_json.encode(public_jwks)
        self.algorithms = tuple(dict.fromkeys(key.alg for key in projection.signing_keys))
        self.signers: dict[str, TokenSigner] = {}
        for active in projection.signing_keys:
            key = None if ring is None or active.state != "active" else _open(active, ring)
            if key is not None:
                self.signers.setdefault(active.alg, TokenSigner(key))
        self.signer = next(iter(self.signers.values()), None)
        self.profiles: dict[str, tuple[ClientProjection, TokenProfile]] = {}

    def profile(self, client: ClientProjection) -> TokenProfile:
        """Return what the client's tokens contain in any case. It is made once, and again when the client
        changes; a changed realm is another state."""
        known = self.profiles.get(client.uuid)
        if known is not None and known[0] is client:
            return known[1]
        if len(self.profiles) >= _MAX_PROFILES:
            self.profiles.clear()
        made = profile_of(self.projection, client)
        self.profiles[client.uuid] = (client, made)
        return made

    @property
    def signing_key(self) -> CompactSigner | None:
        """The key of ``signer``."""
        return None if self.signer is None else self.signer.key


class StateReader:
    """Converts values in Redis to states. ``rings``: None in a process with public keys only. A realm whose
    keys are missing is treated as absent."""

    def __init__(self, rings: RealmRings | None, base_url: str, mtls_base_url: str | None = None) -> None:
        self._rings = rings
        self._base_url = base_url
        self._mtls_base_url = mtls_base_url

    def read(self, field: str, outcome: Loaded, value: bytes) -> State:
        """Convert a conclusive read. Raises ProjectionError and SealError."""
        if outcome is Loaded.ABSENT:
            return AbsentState()
        if field.startswith("realm:"):
            return self._realm(value)
        if field.startswith(SUBJECT_PREFIX):
            return SubjectState(decode_subject(value)[1].client_id)
        return ClientState(decode_client(value)[1])

    def _realm(self, value: bytes) -> State:
        projection = decode_realm(value)[1]
        ring = None if self._rings is None else self._rings.find(projection.id)
        if ring is None and self._rings is not None:
            return AbsentState()
        try:
            return RealmState(projection, ring, self._base_url, self._mtls_base_url)
        except (InvalidKeyError, InvalidKeySetError) as error:
            raise ProjectionError(f"a signing key of the realm is unusable: {error.detail}") from error


def _open(key: ProjectedSigningKey, ring: KeyRing) -> SigningKey | None:
    """Decrypt the private key. Loading it, which checks an RSA key for 50 ms, is done once a key."""
    if key.sealed_private_jwk is None:
        return None
    jwk = ring.open(key.sealed_private_jwk, f"signing-key:{key.kid}")
    digest = hashlib.sha256(jwk).digest()
    loaded = _LOADED.get(digest)
    if loaded is None:
        loaded = SigningKey.from_private_jwk(jwk)
        if len(_LOADED) >= _MAX_LOADED:
            _LOADED.clear()
        _LOADED[digest] = loaded
    return loaded
