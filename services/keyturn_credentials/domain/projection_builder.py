"""Projections of realms and clients for the verifiers."""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.authenticators import DEFAULT_AUTHENTICATOR
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.client_keys import keys_of
from keyturn_credentials.domain.client_scopes import (
    default_scopes_of_realm,
    optional_scopes_of_realm,
    removed_scopes_of_realm,
    scopes_of_realm,
    silent_scopes_of_realm,
)
from keyturn_credentials.domain.given_roles import given_roles, named_roles
from keyturn_credentials.domain.grants import DEFAULT_SCOPES, OPTIONAL_SCOPES, audiences_of, own_scopes_of
from keyturn_credentials.domain.mapper_effects import projected_mappers
from keyturn_credentials.domain.protocol_mappers import mappers_in
from keyturn_credentials.domain.realm import KeyPurpose, KeyState, Realm, RealmKey
from keyturn_credentials.domain.realm_keys import is_further
from keyturn_credentials.domain.role_catalogue import as_role_set, keys_by_id, projected_roles
from keyturn_credentials.domain.roles import MASTER
from keyturn_credentials.domain.scope_mappings import projected_client_scope_roles, projected_scope_mappings
from keyturn_credentials.domain.secrets import StoredSecret
from keyturn_credentials.domain.trusted_issuers import issuers_of_realm
from keyturn_credentials.domain.web_origins import allowed_origins
from keyturn_shared.projection import (
    ClientProjection,
    ProjectedSecret,
    ProjectedSigningKey,
    RealmProjection,
    secret_context,
)
from keyturn_shared.realm_rings import FleetRing
from keyturn_shared.sealing import KeyRing

PROJECTION_REVISION: Final = 6
"""Increased with every member that projections gain or derive differently; the nodes then get new projections
of what earlier builds stored. 0 stands for all builds before the number existed."""


def signing_key_context(kid: str) -> str:
    """Return the encryption context of a realm's private key."""
    return f"signing-key:{kid}"


class Projector:
    """Makes projections. It decrypts values of the database and encrypts them for the verifiers.
    ``fetcher_keys``: public keys of the processes that may fetch clients' key sets."""

    def __init__(self, encryption: KeyRing, fleet: FleetRing, fetcher_keys: tuple[str, ...] = ()) -> None:
        self._encryption = encryption
        self._fleet = fleet
        self.fetcher_keys = fetcher_keys

    def project_realm(self, realm: Realm, keys: Iterable[RealmKey]) -> RealmProjection:
        """Project a realm. Raises SealError if a signing key cannot be decrypted under the encryption
        keys."""
        realm_roles, client_roles = projected_roles(realm)
        return RealmProjection(
            id=realm.id,
            name=realm.name,
            enabled=realm.enabled,
            # The first one that is active signs for whoever does not ask for another algorithm.
            signing_keys=tuple(
                self._project_key(realm.id, key)
                for key in sorted(keys, key=lambda key: is_further(realm, key))
            ),
            access_token_lifespan=realm.access_token_lifespan,
            jwks_allowed_networks=realm.allowed_networks,
            keys_not_before=realm.keys_not_before,
            strict_audience=realm.strict_audience,
            administers=realm.name == MASTER,
            not_before=realm.not_before,
            token_generation=realm.token_generation,
            open_introspection=realm.has_open_introspection,
            fetcher_keys=self.fetcher_keys,
            strict_assertion_lifetime=realm.strict_assertion_lifetime,
            plain_token_type=realm.has_plain_token_type,
            default_scopes=default_scopes_of_realm(realm),
            optional_scopes=optional_scopes_of_realm(realm),
            silent_scopes=silent_scopes_of_realm(realm),
            removed_scopes=removed_scopes_of_realm(realm),
            realm_roles=realm_roles,
            client_roles=client_roles,
            scope_mappings=projected_scope_mappings(realm),
            roles_by_id=dict(keys_by_id(realm)),
            client_scope_roles=projected_client_scope_roles(realm),
            ends_tokens_by_role=attributes.is_true(realm.attributes, attributes.ROLES_END_TOKENS),
            trusted_issuers=tuple(issuer.projected() for issuer in issuers_of_realm(realm)),
            scope_mappers={
                scope.name: mappers
                for scope in scopes_of_realm(realm)
                if scope.is_for_tokens and (mappers := projected_mappers(scope.mappers))
            },
        )

    def project_client(self, realm: Realm, client: Client) -> ClientProjection:
        """Project a client. Raises InvalidRequestError for invalid attributes. It contains nothing of an
        administrator's secrets: whatever nodes have must not be enough to check one, let alone learn it."""
        whole = self.view_client(client)
        if whole.role_ids is not None:
            # Nodes of an earlier build know roles by their names only.
            whole = replace(whole, roles=as_role_set(given_roles(realm, client.service_account)))
        if realm.name == MASTER or whole.administers:
            return replace(whole, administers=True, secrets=())
        return whole

    def view_client(self, client: Client) -> ClientProjection:
        """Project a client with everything its credential check needs; this stays in this service. Raises
        InvalidRequestError."""
        keys = keys_of(client)
        values = client.attributes
        return ClientProjection(
            uuid=client.uuid,
            realm_id=client.realm_id,
            client_id=client.client_id,
            enabled=client.enabled,
            # A client that does not authenticate is projected as using secrets, without any.
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
            scopes=own_scopes_of(client, OPTIONAL_SCOPES),
            default_scopes=own_scopes_of(client, DEFAULT_SCOPES),
            audiences=audiences_of(client),
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
            administers=bool(attributes.words(values, attributes.ADMIN_ROLES)),
            not_before=client.not_before,
            token_generation=client.token_generation,
            resource_audiences=attributes.words(values, attributes.RESOURCE_AUDIENCES),
            plain_token_type=client.has_plain_token_type,
            access_token_alg=client.access_token_alg,
            revoked_tokens=dict(client.revoked_tokens),
            subject=client.service_account_id,
            roles=named_roles(client.service_account),
            role_ids=client.service_account.role_ids,
            full_scope=client.has_full_scope,
            federated=client.federated,
            mappers=projected_mappers(mappers_in(client.document, client.uuid)),
            allowed_origins=allowed_origins(client.document),
            lightweight_tokens=attributes.is_true(values, attributes.LIGHTWEIGHT_TOKENS),
        )

    def _project_key(self, realm_id: str, key: RealmKey) -> ProjectedSigningKey:
        if key.purpose is KeyPurpose.ADMINISTRATORS:
            # For a node it is a verification key in any state: its private half stays here.
            return ProjectedSigningKey(
                kid=key.kid, alg=key.alg, state="retiring", public_jwk=dict(key.public_jwk)
            )
        sealed = None
        if key.sealed_private_jwk is not None and key.state is not KeyState.RETIRING:
            context = signing_key_context(key.kid)
            private = self._encryption.open(key.sealed_private_jwk, context)
            sealed = self._fleet.find(realm_id).seal(private, context)
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
        if client.signs_with_secret and stored.secret is not None:
            # Under the digest's key, by which maintenance recognises what to renew.
            sealed = self._fleet.find(client.realm_id).seal(
                stored.secret.reveal().encode(), secret_context(client.uuid), like=stored.digest
            )
        return ProjectedSecret(digest=stored.digest, not_after=stored.expires_at, sealed=sealed)
