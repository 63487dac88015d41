"""Search for clients by exact id, part of the id or attributes; a page at a time, in order of ids."""

from typing import Final

from sqlalchemy import bindparam, select

from keyturn_credentials.domain.client import Client
from keyturn_credentials.store.id_search import Page, find_ids
from keyturn_credentials.store.search_query import Criteria
from keyturn_credentials.store.tables import clients
from keyturn_credentials.store.unit_of_work import Reading

_by_ids: Final = (
    select(clients)
    .where(
        clients.c.realm_id == bindparam("realm_id"),
        clients.c.client_id.in_(bindparam("ids", expanding=True)),
    )
    .order_by(clients.c.client_id)
)


async def find_page(
    reading: Reading, realm_id: str, criteria: Criteria, *, first: int, most: int
) -> list[Client]:
    """Return the clients from the ``first`` (0 is the beginning) on, at most ``most``."""
    return await _read(reading, realm_id, await find_ids(reading, realm_id, criteria, Page(first, most)))


async def find_after(
    reading: Reading, realm_id: str, criteria: Criteria, *, after: str, most: int
) -> list[Client]:
    """Return the clients whose ids come after ``after``, at most ``most``."""
    page = Page(0, most, after)
    return await _read(reading, realm_id, await find_ids(reading, realm_id, criteria, page))


async def _read(reading: Reading, realm_id: str, ids: list[str]) -> list[Client]:
    rows = await reading.connection.execute(_by_ids, {"realm_id": realm_id, "ids": ids}) if ids else ()
    return [reading.clients.from_row(row) for row in rows]
