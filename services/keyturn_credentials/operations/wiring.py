"""Wiring of all operations, for the HTTP API and the commands."""

from dataclasses import dataclass

from keyturn_credentials.domain.projection_builder import Projector
from keyturn_credentials.domain.rotation import Kind
from keyturn_credentials.operations.administrator_recovery import AdministratorRecovery
from keyturn_credentials.operations.certificates import CertificateOperations
from keyturn_credentials.operations.changes import Changes
from keyturn_credentials.operations.client_keys import ClientKeyOperations
from keyturn_credentials.operations.client_scopes import ClientScopeOperations
from keyturn_credentials.operations.clients import ClientOperations
from keyturn_credentials.operations.importing import ImportOperations
from keyturn_credentials.operations.key_kind import KeyKind
from keyturn_credentials.operations.maintenance import Maintenance
from keyturn_credentials.operations.policy_sweep import PolicySweep
from keyturn_credentials.operations.protocol_mappers import ProtocolMapperOperations
from keyturn_credentials.operations.realm_import import RealmImportOperations
from keyturn_credentials.operations.realms import RealmOperations
from keyturn_credentials.operations.reprojection import Reprojection
from keyturn_credentials.operations.retention import Retention
from keyturn_credentials.operations.role_mappings import RoleMappingOperations
from keyturn_credentials.operations.roles import RoleOperations
from keyturn_credentials.operations.rotation_changes import RotationChanges
from keyturn_credentials.operations.rotation_scene import CredentialKind
from keyturn_credentials.operations.rotations import RotationOperations
from keyturn_credentials.operations.scope_mappings import ScopeMappingOperations
from keyturn_credentials.operations.secret_issuer import SecretIssuer
from keyturn_credentials.operations.secret_kind import SecretKind
from keyturn_credentials.operations.secrets import SecretOperations
from keyturn_credentials.operations.token_revocation import TokenRevocationOperations
from keyturn_credentials.operations.trusted_issuers import TrustedIssuerOperations
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.audit_chain import AuditChain
from keyturn_credentials.store.unit_of_work import Store
from keyturn_shared.clock import Clock


@dataclass(frozen=True, slots=True)
class Operations:
    """All operations."""

    realms: RealmOperations
    realm_imports: RealmImportOperations
    clients: ClientOperations
    scopes: ClientScopeOperations
    roles: RoleOperations
    issuers: TrustedIssuerOperations
    mappers: ProtocolMapperOperations
    role_mappings: RoleMappingOperations
    scope_mappings: ScopeMappingOperations
    secrets: SecretOperations
    rotations: RotationOperations
    rotation_changes: RotationChanges
    policy_sweep: PolicySweep
    keys: ClientKeyOperations
    certificates: CertificateOperations
    imports: ImportOperations
    tokens: TokenRevocationOperations
    maintenance: Maintenance
    reprojection: Reprojection
    retention: Retention
    projector: Projector
    recovery: AdministratorRecovery


def build_operations(store: Store, clock: Clock, settings: CredentialsSettings) -> Operations:
    fleet_ring = settings.fleet_ring()
    projector = Projector(store.encryption, fleet_ring, settings.named_fetcher_keys())
    maker = SecretIssuer(fleet_ring)
    changes = Changes(store, projector)
    keys = ClientKeyOperations(changes)
    kinds: dict[Kind, CredentialKind] = {Kind.SECRET: SecretKind(maker), Kind.KEY: KeyKind()}
    rotation_changes = RotationChanges(changes, kinds)
    realms = RealmOperations(store, changes, store.encryption)
    clients = ClientOperations(store, changes, maker, realms)
    imports = ImportOperations(store, changes, maker, realms)
    return Operations(
        realms=realms,
        realm_imports=RealmImportOperations(store, realms, imports),
        clients=clients,
        scopes=ClientScopeOperations(changes),
        roles=RoleOperations(changes),
        issuers=TrustedIssuerOperations(changes),
        mappers=ProtocolMapperOperations(changes),
        role_mappings=RoleMappingOperations(changes),
        scope_mappings=ScopeMappingOperations(changes),
        secrets=SecretOperations(changes, maker),
        rotations=RotationOperations(store, rotation_changes),
        rotation_changes=rotation_changes,
        policy_sweep=PolicySweep(store, projector),
        keys=keys,
        certificates=CertificateOperations(Queries(store), clock, keys),
        imports=imports,
        tokens=TokenRevocationOperations(changes, projector),
        maintenance=Maintenance(
            store, clock, projector, realms, encryption=store.encryption, fleet=fleet_ring
        ),
        reprojection=Reprojection(store, projector),
        retention=Retention(
            store,
            clock,
            AuditChain(store.encryption, settings.audit_keys()),
            event_days=settings.event_retention_days,
            audit_days=settings.audit_retention_days,
        ),
        projector=projector,
        recovery=AdministratorRecovery(store, changes, clients, maker),
    )
