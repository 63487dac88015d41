"""A realm and one of its clients, found with one statement."""

from typing import Any, Final

from sqlalchemy import bindparam, select

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.store.direct import run_one
from keyturn_credentials.store.tables import clients, realms
from keyturn_credentials.store.transaction import Transaction

_OF_REALM: Final = {name: f"realm_{name}_" for name in realms.columns.keys()}  # noqa: SIM118 - not a mapping
_both_for_change: Final = (
    select(clients, *(realms.c[name].label(label) for name, label in _OF_REALM.items()))
    .join(realms, realms.c.id == clients.c.realm_id)
    .where(realms.c.name == bindparam("realm"), clients.c.uuid == bindparam("client"))
    .with_for_update(of=clients)
)


async def find_for_change(
    transaction: Transaction, realm_name: str, client_uuid: str
) -> tuple[Realm, Client] | None:
    """Until the transaction ends nobody else changes this client. None when realm or client is not there."""
    wanted = {"realm": realm_name, "client": client_uuid}
    row: Any = await run_one(transaction.connection, _both_for_change, wanted)
    if row is None:
        return None
    realm = Realm(**{name: getattr(row, label) for name, label in _OF_REALM.items()})
    return realm, transaction.clients.from_row(row)
