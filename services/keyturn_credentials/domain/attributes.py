"""Names of the attributes that keyturn understands: Keycloak's, and its own under ``keyturn.``."""

from collections.abc import Mapping
from typing import Any, Final

USE_JWKS_URL: Final = "use.jwks.url"
JWKS_URL: Final = "jwks.url"
USE_JWKS_STRING: Final = "use.jwks.string"
JWKS_STRING: Final = "jwks.string"

CERTIFICATE_PREFIXES: Final = ("jwt.credential", "saml.signing", "saml.encryption")
"""Accepted values of ``{attr}`` in ``certificates/{attr}``."""
CERTIFICATE: Final = "certificate"
PUBLIC_KEY: Final = "public.key"
PRIVATE_KEY: Final = "private.key"
KID: Final = "kid"

SIGNING_ALG: Final = "token.endpoint.auth.signing.alg"
SIGNING_MAX_EXP: Final = "token.endpoint.auth.signing.max.exp"
SECRET_TRANSPORT: Final = "client.secret.authentication.allowed.method"  # noqa: S105 - a name
ACCESS_TOKEN_LIFESPAN: Final = "access.token.lifespan"  # noqa: S105 - a name
ACCESS_TOKEN_ALG: Final = "access.token.signed.response.alg"  # noqa: S105 - a name
ACCESS_TOKEN_TYPE_RFC9068: Final = "access.token.header.type.rfc9068"  # noqa: S105 - a name
LIGHTWEIGHT_TOKENS: Final = "client.use.lightweight.access.token.enabled"

SECRET_CREATED: Final = "client.secret.creation.time"  # noqa: S105 - a name
SECRET_EXPIRES: Final = "client.secret.expiration.time"  # noqa: S105 - a name
ROTATED_CREATED: Final = "client.secret.rotated.creation.time"
ROTATED_EXPIRES: Final = "client.secret.rotated.expiration.time"
ROTATED_SECRET: Final = "client.secret.rotated"  # noqa: S105 - a name
REMAINING_EXPIRATION: Final = "client.secret.remaining.expiration.time"
ROTATION_ENABLED: Final = "client.secret.rotation.enabled"
MANAGED: Final = frozenset(
    {SECRET_CREATED, SECRET_EXPIRES, ROTATED_CREATED, ROTATED_EXPIRES, ROTATED_SECRET}
    | {REMAINING_EXPIRATION, ROTATION_ENABLED}
)
"""Derived from the secrets for display, and never accepted from a request."""

CREDENTIAL_ISSUER: Final = "jwt.credential.issuer"
CREDENTIAL_SUBJECT: Final = "jwt.credential.sub"
FEDERATED_SUBJECT_PATTERN: Final = "keyturn.federated.subject-pattern"
FEDERATED_AUDIENCES: Final = "keyturn.federated.audiences"
FEDERATED_CLAIMS: Final = "keyturn.federated.claims"

X509_SUBJECT_DN: Final = "x509.subjectdn"
X509_CA_SUBJECT_DN: Final = "x509.casubjectdn"
X509_REGEX: Final = "x509.allow.regex.pattern.comparison"
X509_SAN_DNS: Final = "x509.san.dns"
X509_SAN_URI: Final = "x509.san.uri"
X509_SAN_IP: Final = "x509.san.ip"
X509_SAN_EMAIL: Final = "x509.san.email"
X509_SELF_SIGNED: Final = "x509.self.signed"
MTLS_BOUND_TOKENS: Final = "tls.client.certificate.bound.access.tokens"
DPOP_BOUND_TOKENS: Final = "dpop.bound.access.tokens"

ADMIN_ROLES: Final = "keyturn.admin.roles"
AUDIENCES: Final = "keyturn.audiences"
RESOURCE_AUDIENCES: Final = "keyturn.resource.audiences"

POLICY_EXPIRATION: Final = "keyturn.secret.expiration-period"
POLICY_ROTATED_EXPIRATION: Final = "keyturn.secret.rotated-expiration-period"
POLICY_REMAINING_ROTATION: Final = "keyturn.secret.remaining-rotation-period"
DIGEST_ONLY: Final = "keyturn.secret.digest-only"
ROTATION_AUTOMATIC: Final = "keyturn.rotation.automatic"
ROTATION_RETIRE_UNUSED: Final = "keyturn.rotation.retire-unused"
ROTATION_SELF_SERVICE: Final = "keyturn.rotation.self-service"
ROTATION_WINDOW: Final = "keyturn.rotation.window"
ROTATION_JITTER: Final = "keyturn.rotation.jitter"
ROTATION_MAX_AT_ONCE: Final = "keyturn.rotation.max-at-once"
ROTATION_DISABLED_LIMIT: Final = "keyturn.rotation.disabled-limit"
KEY_PERIOD: Final = "keyturn.key.rotation-period"
KEY_OVERLAP: Final = "keyturn.key.overlap"
KEY_REVOKE_FORMER: Final = "keyturn.key.revoke-former"

SIGNING_KEY_ALG: Final = "keyturn.signing.algorithm"
FURTHER_KEY_ALGS: Final = "keyturn.signing.additional-algorithms"
SIGNING_KEY_PERIOD: Final = "keyturn.signing.rotation-period"
JWKS_ALLOWED_NETWORKS: Final = "keyturn.jwks.allowed-networks"
STRICT_AUDIENCE: Final = "keyturn.strict-audience"
ROLES_END_TOKENS: Final = "keyturn.roles.end-tokens"
STRICT_ASSERTION_LIFETIME: Final = "keyturn.strict-assertion-lifetime"
OPEN_INTROSPECTION: Final = "keyturn.introspection.open"
NOTICE_LEAD: Final = "keyturn.notices.lead-time"
UNFINISHED_IMPORT: Final = "keyturn.import.unfinished"


def is_true(attributes: Mapping[str, str], name: str) -> bool:
    """Return whether the attribute is ``true`` in any case, as in Keycloak."""
    return attributes.get(name, "").strip().lower() == "true"


def has_plain_token_type(attributes: Mapping[str, str]) -> bool | None:
    """Return whether tokens have the type ``JWT``, as a client or its realm sets it; None if it does not."""
    value = attributes.get(ACCESS_TOKEN_TYPE_RFC9068, "").strip()
    return value.lower() != "true" if value else None


def names_two_key_sets(attributes: Mapping[str, Any]) -> bool:
    """Return whether both a JWKS URL and an inline JWK Set are enabled. Keycloak also refuses this, because
    it is ambiguous."""
    switches = (attributes.get(name) for name in (USE_JWKS_URL, USE_JWKS_STRING))
    return all(switch is not None and str(switch).strip().lower() == "true" for switch in switches)


def words(attributes: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Split a comma-separated attribute, without empty parts."""
    return tuple(part.strip() for part in attributes.get(name, "").split(",") if part.strip())
