"""UUIDs of clients by their ids."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, select

from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.tables import clients

_AT_ONCE: Final = 500
_by_client_ids: Final = select(clients.c.client_id, clients.c.uuid).where(
    clients.c.realm_id == bindparam("realm_id"),
    clients.c.client_id.in_(bindparam("ids", expanding=True)),
)


async def uuids_of(connection: Connection, realm_id: str, client_ids: Sequence[str]) -> dict[str, str]:
    """Return the UUIDs of those of these clients that exist, by client id."""
    found: dict[str, str] = {}
    for start in range(0, len(client_ids), _AT_ONCE):
        wanted = {"realm_id": realm_id, "ids": list(client_ids[start : start + _AT_ONCE])}
        rows = await connection.execute(_by_client_ids, wanted)
        found |= {row.client_id: row.uuid for row in rows}
    return found
