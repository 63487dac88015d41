"""Service accounts by their ids, and by the roles that they were given."""

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import bindparam, delete, insert, select

from keyturn_credentials.domain.client import Client
from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.tables import clients, role_mappings

_AT_ONCE: Final = 500
_insert: Final = insert(role_mappings)
_delete: Final = delete(role_mappings).where(
    role_mappings.c.realm_id == bindparam("of_realm_id"),
    role_mappings.c.client_id == bindparam("of_client_id"),
)
_holders: Final = (
    select(role_mappings.c.client_id)
    .where(
        role_mappings.c.realm_id == bindparam("realm_id"),
        role_mappings.c.role_id == bindparam("role_id"),
        role_mappings.c.client_id > bindparam("after"),
    )
    .order_by(role_mappings.c.client_id)
    .limit(bindparam("most"))
)
_by_account: Final = select(clients.c.uuid).where(
    clients.c.realm_id == bindparam("realm_id"),
    clients.c.service_account_id == bindparam("account_id"),
)
_by_accounts: Final = select(clients.c.service_account_id, clients.c.uuid).where(
    clients.c.realm_id == bindparam("realm_id"),
    clients.c.service_account_id.in_(bindparam("account_ids", expanding=True)),
)
_unlisted: Final = (
    select(clients.c.client_id)
    .where(
        clients.c.realm_id == bindparam("realm_id"),
        clients.c.service_account_id.is_(None),
        clients.c.client_id > bindparam("after"),
    )
    .order_by(clients.c.client_id)
    .limit(bindparam("most"))
)


class RoleMappings:
    """Copies of what service accounts have, as one connection sees them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def insert(self, added: Iterable[Client]) -> None:
        """Insert the roles of new clients."""
        rows = [row for client in added for row in _rows(client)]
        if rows:
            await self._connection.execute(_insert, rows)

    async def replace(self, client: Client) -> None:
        """Replace the roles of a client."""
        of_client = {"of_realm_id": client.realm_id, "of_client_id": client.client_id}
        await self._connection.execute(_delete, of_client)
        await self.insert([client])

    async def holders(self, realm_id: str, role_id: str, *, after: str, most: int) -> list[str]:
        """Return the ids of clients whose service accounts were given a role, in order, those after the id
        ``after``."""
        wanted = {"realm_id": realm_id, "role_id": role_id, "after": after, "most": most}
        return list((await self._connection.execute(_holders, wanted)).scalars())

    async def uuids_of_account(self, realm_id: str, account_id: str) -> list[str]:
        """Return the UUIDs of the clients for which a service account stands: one, unless an import of an
        earlier build brought two."""
        wanted = {"realm_id": realm_id, "account_id": account_id}
        return list((await self._connection.execute(_by_account, wanted)).scalars())

    async def owners_of_accounts(self, realm_id: str, account_ids: Sequence[str]) -> dict[str, str]:
        """Return the UUIDs of the clients for which these service accounts stand, by the accounts' ids."""
        found: dict[str, str] = {}
        for start in range(0, len(account_ids), _AT_ONCE):
            wanted = {"realm_id": realm_id, "account_ids": list(account_ids[start : start + _AT_ONCE])}
            rows = await self._connection.execute(_by_accounts, wanted)
            found |= {row.service_account_id: row.uuid for row in rows}
        return found

    async def unlisted(self, realm_id: str, *, after: str, most: int) -> list[str]:
        """Return the ids of clients that an earlier build wrote, in order, those after the id ``after``."""
        wanted = {"realm_id": realm_id, "after": after, "most": most}
        return list((await self._connection.execute(_unlisted, wanted)).scalars())


def _rows(client: Client) -> list[dict[str, str]]:
    return [
        {"realm_id": client.realm_id, "client_id": client.client_id, "role_id": role_id}
        for role_id in dict.fromkeys(client.service_account.role_ids or ())
    ]
