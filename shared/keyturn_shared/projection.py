"""Projections: what a verifier may know of a realm or a client, as one Redis value each.

The credentials service writes them with the event that changed them, verifiers only read. Secrets are in
them as keyed digests, and what a verifier must have whole (a realm's signing keys, the secret of a
``client-secret-jwt`` client) is sealed under the fleet keys.
"""

from typing import Final, Literal

import msgspec

from keyturn_shared.errors import KeyturnError

Authenticator = Literal["client-secret", "client-jwt", "client-secret-jwt", "client-x509"]
"""Keycloak's provider ids for how a client proves itself."""

LONGEST_NAME: Final = 255
"""Characters of a realm's name and of a client id."""

CLIENT_UUID: Final = "client_uuid"
"""Claim of access tokens beside ``client_id``: names are given away again, and a token ends with its client.
One without it was issued by an earlier build."""

SecretTransport = Literal["any", "basic", "post"]


class ProjectionError(KeyturnError):
    """A projection in Redis cannot be read."""

    code = "projection_broken"


class ProjectedSigningKey(msgspec.Struct, frozen=True, kw_only=True):
    """A realm's signing key. ``state``: ``next`` is published before use, ``active`` signs, ``retiring``
    only verifies. ``sealed_private_jwk`` opens with the fleet keys in the context ``signing-key:<kid>``
    and is absent from retiring keys."""

    kid: str
    alg: str
    state: Literal["next", "active", "retiring"]
    public_jwk: dict[str, object]
    sealed_private_jwk: str | None = None


class ProjectedSecret(msgspec.Struct, frozen=True, kw_only=True):
    """A client secret: its digest under the fleet keys in the context ``client-secret:<client uuid>``, and
    NumericDate seconds after which it is refused. ``sealed`` (same context) only for client-secret-jwt."""

    digest: str
    not_after: float | None = None
    sealed: str | None = None


class RealmProjection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A realm as verifiers know it. Times are seconds; ``keys_not_before`` is a sequence: key sets whose
    fetch began before it are not used."""

    id: str
    name: str
    enabled: bool = True
    signing_keys: tuple[ProjectedSigningKey, ...] = ()
    access_token_lifespan: int = 300
    jwks_allowed_networks: tuple[str, ...] = ()
    keys_not_before: int = 0
    strict_audience: bool = False


class ClientProjection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A client as verifiers know it.

    ``signing_alg``: the only algorithm its assertions may use, or None for any asymmetric one (Keycloak's
    ``token.endpoint.auth.signing.alg``). ``max_assertion_lifetime``: seconds. ``jwks``: inline keys, of a
    certificate or an inline JWK Set, used when ``jwks_url`` is None. ``revoked_thumbprints``: RFC 7638.
    ``keys_not_before``: a sequence, as in the realm. ``x509_*``: RFC 8705 section 2.1.2, and
    of whom the certificate's issuer has to be, if given (Keycloak's ``x509.casubjectdn``).
    """

    uuid: str
    realm_id: str
    client_id: str
    enabled: bool = True
    authenticator: Authenticator = "client-secret"
    service_accounts_enabled: bool = True
    secrets: tuple[ProjectedSecret, ...] = ()
    secret_transport: SecretTransport = "any"  # noqa: S105 - a manner of sending, not a secret
    signing_alg: str | None = None
    max_assertion_lifetime: int | None = None
    jwks: dict[str, object] | None = None
    jwks_source: Literal["certificate", "jwks"] | None = None
    jwks_url: str | None = None
    revoked_thumbprints: frozenset[str] = frozenset()
    keys_not_before: int = 0
    access_token_lifespan: int | None = None
    scopes: tuple[str, ...] = ()
    default_scopes: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    x509_subject_dn: str | None = None
    x509_subject_dn_is_pattern: bool = False
    x509_issuer_dn: str | None = None
    x509_san_dns: str | None = None
    x509_san_uri: str | None = None
    x509_san_ip: str | None = None
    x509_san_email: str | None = None
    x509_self_signed: bool = False
    mtls_bound_tokens: bool = False
    dpop_bound_tokens: bool = False


Projection = RealmProjection | ClientProjection

_encoder = msgspec.json.Encoder()
_realm_decoder = msgspec.json.Decoder(RealmProjection)
_client_decoder = msgspec.json.Decoder(ClientProjection)

_REALM_PREFIX: Final = "realm:"


def realm_field(name: str) -> str:
    """The field of a realm's projection in the projections hash."""
    return f"{_REALM_PREFIX}{name}"


def client_field(realm_id: str, client_id: str) -> str:
    """The field of a client's projection. The realm's id, not its name: a realm made again is another."""
    return f"client:{realm_id}:{client_id}"


def encode_projection(projection: Projection) -> bytes:
    """The projection's JSON, without its sequence."""
    return _encoder.encode(projection)


def projection_value(sequence: int, body: bytes) -> bytes:
    """The value kept in Redis: ``<sequence>:<json>``."""
    return b"%d:%s" % (sequence, body)


def decode_realm(value: bytes) -> tuple[int, RealmProjection]:
    """Sequence and realm of a value. Raises ProjectionError."""
    sequence, body = _split(value)
    try:
        return sequence, _realm_decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise ProjectionError(f"a realm's projection cannot be read: {error}") from error


def decode_client(value: bytes) -> tuple[int, ClientProjection]:
    """Sequence and client of a value. Raises ProjectionError."""
    sequence, body = _split(value)
    try:
        return sequence, _client_decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise ProjectionError(f"a client's projection cannot be read: {error}") from error


def _split(value: bytes) -> tuple[int, bytes]:
    number, separator, body = value.partition(b":")
    if not separator or not number.isdigit():
        raise ProjectionError("a projection does not begin with its sequence")
    return int(number), body
