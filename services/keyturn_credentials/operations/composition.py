"""What can be done, put together; the HTTP API and the commands share it."""

from dataclasses import dataclass

from keyturn_credentials.domain.projecting import Projector
from keyturn_credentials.operations.certificates import CertificateOperations
from keyturn_credentials.operations.client_keys import ClientKeyOperations
from keyturn_credentials.operations.clients import ClientOperations
from keyturn_credentials.operations.importing import ImportOperations
from keyturn_credentials.operations.realm_import import RealmImportOperations
from keyturn_credentials.operations.realms import RealmOperations
from keyturn_credentials.operations.retention import Retention
from keyturn_credentials.operations.secret_making import SecretMaker
from keyturn_credentials.operations.secrets import SecretOperations
from keyturn_credentials.operations.upkeep import Upkeep
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.transaction import Store
from keyturn_shared.clock import Clock


@dataclass(frozen=True, slots=True)
class Operations:
    """Everything there is."""

    realms: RealmOperations
    realm_imports: RealmImportOperations
    clients: ClientOperations
    secrets: SecretOperations
    keys: ClientKeyOperations
    certificates: CertificateOperations
    imports: ImportOperations
    upkeep: Upkeep
    retention: Retention


def build_operations(store: Store, clock: Clock, settings: CredentialsSettings) -> Operations:
    fleet_ring = settings.fleet_ring()
    projector = Projector(store.encryption, fleet_ring)
    maker = SecretMaker(fleet_ring)
    keys = ClientKeyOperations(store, projector)
    realms = RealmOperations(store, projector, store.encryption)
    imports = ImportOperations(store, projector, maker)
    return Operations(
        realms=realms,
        realm_imports=RealmImportOperations(store, realms, imports),
        clients=ClientOperations(store, projector, maker),
        secrets=SecretOperations(store, projector, maker),
        keys=keys,
        certificates=CertificateOperations(store, clock, keys),
        imports=imports,
        upkeep=Upkeep(store, clock, projector, realms, encryption=store.encryption, fleet=fleet_ring),
        retention=Retention(
            store,
            clock,
            event_days=settings.event_retention_days,
            audit_days=settings.audit_retention_days,
        ),
    )
