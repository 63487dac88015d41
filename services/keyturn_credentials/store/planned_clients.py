"""Clients with credentials that policies reach next."""

from typing import Final

from sqlalchemy import select

from keyturn_credentials.domain.client import Client
from keyturn_credentials.store.tables import clients
from keyturn_credentials.store.unit_of_work import Reading

_ENDS: Final = (clients.c.secret_expires_at, clients.c.former_secret_ends_at)


async def find_expiring(
    reading: Reading, realm_id: str, *, most: int, only_current: bool = False
) -> list[Client]:
    """Return at most ``most`` by expiry of the current secret and, unless ``only_current``, as many by that
    of the former one, each once."""
    found: dict[str, Client] = {}
    for ends in _ENDS[:1] if only_current else _ENDS:
        wanted = (
            select(clients)
            .where(clients.c.realm_id == realm_id, ends.is_not(None))
            .order_by(ends, clients.c.uuid)
            .limit(most)
        )
        for row in await reading.connection.execute(wanted):
            found.setdefault(row.uuid, reading.clients.from_row(row))
    return list(found.values())


async def find_oldest_keys(reading: Reading, realm_id: str, *, most: int) -> list[Client]:
    """Return the clients whose next keys policies ask for first; see ``DueRotations.oldest_keys``."""
    uuids = await reading.due_rotations.oldest_keys(realm_id, most=most)
    return list((await reading.clients.by_uuid(realm_id, set(uuids))).values())
