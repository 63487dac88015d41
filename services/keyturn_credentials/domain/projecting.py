"""What verifiers get to know of a realm or a client."""

from collections.abc import Iterable

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.client import DEFAULT_AUTHENTICATOR, Client
from keyturn_credentials.domain.client_keys import keys_of
from keyturn_credentials.domain.realm import KeyState, Realm, RealmKey
from keyturn_credentials.domain.secrets import StoredSecret
from keyturn_shared.projection import (
    ClientProjection,
    ProjectedSecret,
    ProjectedSigningKey,
    RealmProjection,
)
from keyturn_shared.sealing import KeyRing


def secret_context(client_uuid: str) -> str:
    """The context in which a client's secrets are sealed and digested."""
    return f"client-secret:{client_uuid}"


def signing_key_context(kid: str) -> str:
    """The context in which a realm's private key is sealed."""
    return f"signing-key:{kid}"


class Projector:
    """Makes projections. It opens what the database seals and seals it again for the verifiers."""

    def __init__(self, encryption: KeyRing, fleet: KeyRing) -> None:
        self._encryption = encryption
        self._fleet = fleet

    def project_realm(self, realm: Realm, keys: Iterable[RealmKey]) -> RealmProjection:
        """Raises SealError when a signing key does not open under the encryption keys."""
        return RealmProjection(
            id=realm.id,
            name=realm.name,
            enabled=realm.enabled,
            signing_keys=tuple(self._project_key(key) for key in keys),
            access_token_lifespan=realm.access_token_lifespan,
            jwks_allowed_networks=realm.allowed_networks,
            keys_not_before=realm.keys_not_before,
            strict_audience=realm.strict_audience,
        )

    def project_client(self, client: Client) -> ClientProjection:
        """Raises InvalidRequestError for attributes that cannot be used."""
        keys = keys_of(client)
        values = client.attributes
        return ClientProjection(
            uuid=client.uuid,
            realm_id=client.realm_id,
            client_id=client.client_id,
            enabled=client.enabled,
            # One that does not authenticate goes by secrets, of which it has none.
            authenticator=client.authenticator if client.is_confidential else DEFAULT_AUTHENTICATOR,
            service_accounts_enabled=client.service_accounts_enabled,
            secrets=self._project_secrets(client),
            secret_transport=client.secret_transport,
            signing_alg=client.signing_alg,
            max_assertion_lifetime=client.max_assertion_lifetime,
            jwks=dict(keys.jwks) if keys.jwks is not None else None,
            jwks_source=None if keys.source == "jwks_url" else keys.source,
            jwks_url=keys.url,
            revoked_thumbprints=frozenset(client.revoked_keys),
            keys_not_before=client.keys_not_before,
            access_token_lifespan=client.access_token_lifespan,
            scopes=_names(client, "optionalClientScopes"),
            default_scopes=_names(client, "defaultClientScopes"),
            audiences=attributes.words(values, attributes.AUDIENCES),
            x509_subject_dn=values.get(attributes.X509_SUBJECT_DN, "").strip() or None,
            x509_subject_dn_is_pattern=attributes.is_true(values, attributes.X509_REGEX),
            x509_issuer_dn=values.get(attributes.X509_CA_SUBJECT_DN, "").strip() or None,
            x509_san_dns=values.get(attributes.X509_SAN_DNS, "").strip() or None,
            x509_san_uri=values.get(attributes.X509_SAN_URI, "").strip() or None,
            x509_san_ip=values.get(attributes.X509_SAN_IP, "").strip() or None,
            x509_san_email=values.get(attributes.X509_SAN_EMAIL, "").strip() or None,
            x509_self_signed=attributes.is_true(values, attributes.X509_SELF_SIGNED),
            mtls_bound_tokens=attributes.is_true(values, attributes.MTLS_BOUND_TOKENS),
            dpop_bound_tokens=attributes.is_true(values, attributes.DPOP_BOUND_TOKENS),
        )

    def _project_key(self, key: RealmKey) -> ProjectedSigningKey:
        sealed = None
        if key.sealed_private_jwk is not None and key.state is not KeyState.RETIRING:
            context = signing_key_context(key.kid)
            sealed = self._fleet.seal(self._encryption.open(key.sealed_private_jwk, context), context)
        return ProjectedSigningKey(
            kid=key.kid,
            alg=key.alg,
            state=key.state.value,
            public_jwk=dict(key.public_jwk),
            sealed_private_jwk=sealed,
        )

    def _project_secrets(self, client: Client) -> tuple[ProjectedSecret, ...]:
        if not client.is_confidential:
            return ()
        known = (client.secrets.current, client.secrets.rotated)
        return tuple(self._project_secret(client, secret) for secret in known if secret is not None)

    def _project_secret(self, client: Client, stored: StoredSecret) -> ProjectedSecret:
        sealed = None
        if client.authenticator == "client-secret-jwt" and stored.secret is not None:
            sealed = self._fleet.seal(stored.secret.reveal().encode(), secret_context(client.uuid))
        return ProjectedSecret(digest=stored.digest, not_after=stored.expires_at, sealed=sealed)


def _names(client: Client, field: str) -> tuple[str, ...]:
    value = client.document.get(field)
    return tuple(name for name in value if isinstance(name, str)) if isinstance(value, list) else ()
