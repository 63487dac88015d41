"""The first start: realm ``master`` and its first admin."""

from dataclasses import dataclass

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.roles import MASTER, Principal, Role
from keyturn_credentials.domain.secrets import check_chosen, generate_secret
from keyturn_credentials.errors import ConflictError
from keyturn_credentials.operations.clients import ClientOperations
from keyturn_credentials.operations.realms import RealmOperations
from keyturn_credentials.store.unit_of_work import Actor, Store
from keyturn_shared.secret import Secret


@dataclass(frozen=True, slots=True)
class FirstAdmin:
    """The admin that was just created. ``generated``: its secret is new and must be shown."""

    realm: str
    client_id: str
    secret: Secret
    generated: bool


async def bootstrap(
    store: Store,
    realms: RealmOperations,
    clients: ClientOperations,
    *,
    client_id: str,
    secret: Secret | None,
) -> FirstAdmin | None:
    """Create realm ``master`` with its first admin, in one transaction; None if the realm exists. If two
    instances start at the same time, only one creates it."""
    async with store.read() as reading:
        if await reading.realms.get(MASTER) is not None:
            return None
    actor = Actor(Principal.system())
    chosen = secret or generate_secret()
    check_chosen(chosen.reveal())
    representation = {
        "clientId": client_id,
        "name": "First admin",
        "secret": chosen.reveal(),
        "standardFlowEnabled": False,
        "attributes": {attributes.ADMIN_ROLES: Role.ADMIN.value},
    }
    try:
        async with store.change(actor) as transaction:
            realm = (await realms.create_in(transaction, actor, {"realm": MASTER})).value
            await clients.create_in(transaction, actor, realm, representation)
    except ConflictError:
        return None
    return FirstAdmin(MASTER, client_id, chosen, generated=secret is None)
