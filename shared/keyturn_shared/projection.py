"""Projections: what a verifier may know of a realm or a client, as one Redis value each.

The credentials service writes them with the event that changed them; verifiers only read. Secrets are stored
as keyed digests. What a verifier needs in full (a realm's signing keys, the secret of a ``client-secret-jwt``
client) is encrypted under the fleet keys.
"""

import hashlib
from typing import Final, Literal

import msgspec

from keyturn_shared.client_authenticators import AuthenticatorId
from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose import base64url
from keyturn_shared.key_set_address import Document
from keyturn_shared.projected_mappers import ProjectedMapper

MAX_NAME_LENGTH: Final = 255
"""Characters of a realm's name and of a client id."""

MAX_PUBLIC_URL_LENGTH: Final = 512
"""Characters of the public URL; every token contains it, at the start of the issuer."""

MAX_SUBJECT_LENGTH: Final = 2048
"""Characters of the subject of an assertion by a trusted issuer: those of the longest SPIFFE ID."""

CLIENT_UUID: Final = "client_uuid"
"""Claim of access tokens next to ``client_id``: client ids can be reused, and a token ends with its client. A
token without it was issued by an earlier build."""

TOKEN_GENERATION: Final = "generation"  # noqa: S105 - the name of a claim
"""Claim of access tokens: how often all tokens of the client or its realm had been ended when this one was
issued. Absent while that has never happened. A count instead of a time, so that clock differences cannot
revive a token."""

SERVICE_ACCOUNT_PREFIX: Final = "service-account-"
"""Keycloak calls the user that stands for a client by this and the client id, in lower case."""

SecretTransport = Literal["any", "basic", "post"]


class ProjectionError(KeyturnError):
    """A projection in Redis cannot be read."""

    code = "projection_broken"


class ProjectedSigningKey(msgspec.Struct, frozen=True, kw_only=True):
    """A realm's signing key.

    ``state``: ``next`` is published before use, ``active`` signs, ``retiring`` only verifies.
    ``sealed_private_jwk`` is encrypted under the fleet keys in the context ``signing-key:<kid>``, and absent
    from retiring keys.
    """

    kid: str
    alg: str
    state: Literal["next", "active", "retiring"]
    public_jwk: dict[str, object]
    sealed_private_jwk: str | None = None


class ProjectedSecret(msgspec.Struct, frozen=True, kw_only=True):
    """A client secret: its digest under the fleet keys in its ``secret_context``, and the NumericDate seconds
    from which it is refused. ``sealed`` (same context) only if the client signs with it."""

    digest: str
    not_after: float | None = None
    sealed: str | None = None


class RoleSet(msgspec.Struct, frozen=True, omit_defaults=True):
    """Names of roles: of the realm, and of clients by their ids."""

    realm: tuple[str, ...] = ()
    client: dict[str, tuple[str, ...]] = {}


Conditions = dict[str, str | int | float | bool]
"""Claims that a token must have, with their values. A name that begins with ``/`` is a JSON Pointer (RFC
6901) into nested claims."""


class ProjectedIssuer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An issuer whose assertions about clients the realm trusts: Keycloak's identity provider.

    ``issuer``: the exact ``iss``; with ``is_spiffe`` the trust domain, ``spiffe://…``. ``document``: what
    ``keys_url`` serves. ``audiences``: accepted instead of the realm's own. ``algorithms``: empty for any
    asymmetric one. ``max_lifetime``, ``clock_skew``: seconds; None: the node's. ``is_reusable``: an assertion
    may be used more than once. ``conditions``: claims of every assertion. ``revoked_subjects``: refused
    whatever a client names. ``revoked_thumbprints``, ``keys_not_before``: as of a client.
    """

    id: str
    alias: str
    issuer: str
    keys_url: str
    document: Document = "jwks"
    enabled: bool = True
    is_spiffe: bool = False
    audiences: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = ()
    max_lifetime: int = 300
    clock_skew: int | None = None
    is_reusable: bool = False
    conditions: Conditions = {}
    revoked_subjects: frozenset[str] = frozenset()
    revoked_thumbprints: frozenset[str] = frozenset()
    keys_not_before: int = 0


class FederatedIdentity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Identity of a client at a trusted issuer, by the issuer's ``alias``.

    ``subject``: the exact ``sub``, or with ``is_pattern`` a pattern of it (``oauth.subject_patterns``).
    ``audiences``: accepted instead of the issuer's. ``conditions``: further claims.
    """

    alias: str
    subject: str
    is_pattern: bool = False
    audiences: tuple[str, ...] = ()
    conditions: Conditions = {}


class RealmProjection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A realm as verifiers know it. Times are seconds; ``keys_not_before`` is a sequence: key sets whose
    fetch began before it are not used. ``administers``: as of a client, for all of them. ``not_before``:
    NumericDate; tokens issued before it are refused. ``token_generation``: tokens of a lower one are refused
    (see ``TOKEN_GENERATION``). ``open_introspection``: any client may ask about any token. ``fetcher_keys``:
    base64url Ed25519 public keys of those who may fetch clients' key sets. ``strict_assertion_lifetime``: an
    assertion must not say that it is valid for longer than it may be used. ``plain_token_type``: of clients
    that do not say it themselves. ``default_scopes``, ``optional_scopes``: of clients without lists of their
    own; ``silent_scopes``: no token's ``scope`` has them; ``removed_scopes``: no client is granted them.
    ``realm_roles``, ``client_roles`` (by client id): every role, and what it stands for beside itself.
    ``scope_mappings``: roles that a client without full scope may have beside its own.
    ``client_scope_roles``: roles that client scopes bring into scope, by their names.
    ``roles_by_id``: the client id and name of every role; a projection of an earlier build has none.
    ``ends_tokens_by_role``: a token ends with any role in it that is taken away. ``trusted_issuers``: of
    assertions about its clients. ``scope_mappers``: protocol mappers by the name of their client scope; None
    in a projection of an earlier build."""

    id: str
    name: str
    enabled: bool = True
    signing_keys: tuple[ProjectedSigningKey, ...] = ()
    access_token_lifespan: int = 300
    jwks_allowed_networks: tuple[str, ...] = ()
    keys_not_before: int = 0
    strict_audience: bool = False
    administers: bool = False
    not_before: int = 0
    token_generation: int = 0
    open_introspection: bool = False
    fetcher_keys: tuple[str, ...] = ()
    strict_assertion_lifetime: bool = False
    plain_token_type: bool = False
    default_scopes: tuple[str, ...] = ()
    optional_scopes: tuple[str, ...] = ()
    silent_scopes: frozenset[str] = frozenset()
    removed_scopes: frozenset[str] = frozenset()
    realm_roles: dict[str, RoleSet] = {}
    client_roles: dict[str, dict[str, RoleSet]] = {}
    scope_mappings: dict[str, RoleSet] = {}
    ends_tokens_by_role: bool = False
    roles_by_id: dict[str, tuple[str | None, str]] = {}
    client_scope_roles: dict[str, RoleSet] = {}
    trusted_issuers: tuple[ProjectedIssuer, ...] = ()
    scope_mappers: dict[str, tuple[ProjectedMapper, ...]] | None = None


class ClientProjection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A client as verifiers know it.

    ``signing_alg``: the only algorithm its assertions may use, or None for any asymmetric one (Keycloak's
    ``token.endpoint.auth.signing.alg``). ``max_assertion_lifetime``: seconds. ``jwks``: inline keys, of a
    certificate or an inline JWK Set, used when ``jwks_url`` is None. ``revoked_thumbprints``: RFC 7638.
    ``keys_not_before``: a sequence, as in the realm. ``x509_*``: RFC 8705 section 2.1.2, and the required
    issuer of the certificate, if any (Keycloak's ``x509.casubjectdn``). ``administers``: only the credentials
    service checks its credentials and issues its tokens; its secrets are not here. ``not_before`` and
    ``token_generation``: as in the realm. ``resource_audiences``: audiences that this client represents as a
    resource server, in addition to its id. ``plain_token_type``: its access tokens have the type ``JWT``, not
    ``at+jwt``; None: as in its realm. ``access_token_alg``: the only algorithm its access tokens may be
    signed with. ``subject``: the id of its service account, which is ``sub`` of its tokens; empty in a
    projection of an earlier build, whose tokens have the client id there.
    ``role_ids``: the roles that its service account was given; ``roles``: their names, which count only
    without ids. ``revoked_tokens``: digests of ``jti`` (see ``token_digest``) and when these tokens expire.
    ``federated``: its identity at a trusted issuer, which ``federated-jwt`` checks.
    ``mappers``: the client's own protocol mappers. ``allowed_origins``: its web origins.
    ``lightweight_tokens``: most claims are in introspection only (Keycloak's
    ``client.use.lightweight.access.token.enabled``).
    """

    uuid: str
    realm_id: str
    client_id: str
    enabled: bool = True
    authenticator: AuthenticatorId = "client-secret"
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
    scopes: tuple[str, ...] | None = None
    default_scopes: tuple[str, ...] | None = None
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
    administers: bool = False
    not_before: int = 0
    token_generation: int = 0
    resource_audiences: tuple[str, ...] = ()
    plain_token_type: bool | None = None
    access_token_alg: str | None = None
    revoked_tokens: dict[str, float] = {}
    subject: str = ""
    roles: RoleSet = RoleSet()
    full_scope: bool = True
    role_ids: tuple[str, ...] | None = None
    federated: FederatedIdentity | None = None
    mappers: tuple[ProjectedMapper, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    lightweight_tokens: bool = False


class SubjectProjection(msgspec.Struct, frozen=True, kw_only=True):
    """The client that a subject of a trusted issuer stands for."""

    realm_id: str
    client_id: str


Projection = RealmProjection | ClientProjection | SubjectProjection


def has_plain_tokens(realm: RealmProjection, client: ClientProjection) -> bool:
    """Return whether the client's access tokens have the type ``JWT``, Keycloak's default."""
    own = client.plain_token_type
    return realm.plain_token_type if own is None else own


def service_account_name(client_id: str) -> str:
    """Return the name of a client's service account, in lower case as in Keycloak."""
    return f"{SERVICE_ACCOUNT_PREFIX}{client_id.lower()}"


def secret_context(client_uuid: str) -> str:
    """Return the encryption and digest context of a client's secrets."""
    return f"client-secret:{client_uuid}"


def token_digest(jti: str) -> str:
    """Return a token's entry in ``revoked_tokens``: half a SHA-256 of its ``jti``, in hex."""
    return hashlib.sha256(jti.encode()).hexdigest()[:32]


_encoder = msgspec.json.Encoder()
_realm_decoder = msgspec.json.Decoder(RealmProjection)
_client_decoder = msgspec.json.Decoder(ClientProjection)
_subject_decoder = msgspec.json.Decoder(SubjectProjection)

_REALM_PREFIX: Final = "realm:"
SUBJECT_PREFIX: Final = "subject:"
_MAX_SEQUENCE_DIGITS: Final = 19
"""Number of digits of a 64-bit number. Anyone with write access to Redis can write more."""


def realm_field(name: str) -> str:
    """Return the field of a realm in the projections hash."""
    return f"{_REALM_PREFIX}{name}"


def client_field(realm_id: str, client_id: str) -> str:
    """Return the field of a client. It uses the realm's id, not its name: a recreated realm is another
    one."""
    return f"client:{realm_id}:{client_id}"


def subject_field(realm_id: str, alias: str, subject: str) -> str:
    """Return the field of a subject of a trusted issuer. It has a digest, because subjects can be long."""
    digest = hashlib.sha256(f"{alias}\0{subject}".encode("utf-8", "surrogatepass")).digest()
    return f"{SUBJECT_PREFIX}{realm_id}:{base64url.encode_text(digest)}"


def encode_projection(projection: Projection) -> bytes:
    """Encode a projection as JSON, without its sequence."""
    return _encoder.encode(projection)


def projection_value(sequence: int, body: bytes) -> bytes:
    """Build the value stored in Redis: ``<sequence>:<json>``."""
    return b"%d:%s" % (sequence, body)


def decode_realm(value: bytes) -> tuple[int, RealmProjection]:
    """Parse a realm's value into its sequence and projection. Raises ProjectionError."""
    sequence, body = split_value(value)
    try:
        return sequence, _realm_decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise ProjectionError(f"a realm's projection cannot be read: {error}") from error


def decode_client(value: bytes) -> tuple[int, ClientProjection]:
    """Parse a client's value into its sequence and projection. Raises ProjectionError."""
    sequence, body = split_value(value)
    try:
        return sequence, _client_decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise ProjectionError(f"a client's projection cannot be read: {error}") from error


def decode_subject(value: bytes) -> tuple[int, SubjectProjection]:
    """Parse a subject's value into its sequence and projection. Raises ProjectionError."""
    sequence, body = split_value(value)
    try:
        return sequence, _subject_decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise ProjectionError(f"a subject's projection cannot be read: {error}") from error


def split_value(value: bytes) -> tuple[int, bytes]:
    """Split a value into its sequence and unparsed JSON. Raises ProjectionError."""
    number, separator, body = value.partition(b":")
    if not separator or not number.isdigit() or len(number) > _MAX_SEQUENCE_DIGITS:
        raise ProjectionError("a projection does not begin with its sequence")
    return int(number), body
