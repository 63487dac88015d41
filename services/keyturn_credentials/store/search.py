"""Finding clients: by exact id, by part of the id, by attributes; a page at a time, in order of their ids."""

import re
from typing import Final

from sqlalchemy import bindparam, select

from keyturn_credentials.domain.client import Client
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.store.clients import SEARCHABLE_CHARACTERS
from keyturn_credentials.store.finding import Criteria, Page, find_ids
from keyturn_credentials.store.tables import clients
from keyturn_credentials.store.transaction import Reading

_TERM: Final = re.compile(r'\s*(?:"([^"]*)"|([^\s":]+)):(?:"([^"]*)"|(\S+))(?=\s|\Z)')
_MAX_TERMS: Final = 10


_by_ids: Final = (
    select(clients)
    .where(
        clients.c.realm_id == bindparam("realm_id"),
        clients.c.client_id.in_(bindparam("ids", expanding=True)),
    )
    .order_by(clients.c.client_id)
)


def read_query(text: str) -> dict[str, str]:
    """Keycloak's ``q``: ``name:value`` pairs apart by spaces, each part in quotes if it has any in it."""
    found: dict[str, str] = {}
    position = 0
    stripped = text.rstrip()
    while position < len(stripped):
        match = _TERM.match(stripped, position)
        if match is None:
            raise InvalidRequestError("q consists of name:value pairs apart by spaces")
        quoted_name, name, quoted_value, value = match.groups()
        found[quoted_name if name is None else name] = quoted_value if value is None else value
        position = match.end()
    if len(found) > _MAX_TERMS:
        raise InvalidRequestError(f"q has more than {_MAX_TERMS} pairs")
    if any(len(value) > SEARCHABLE_CHARACTERS for value in found.values()):
        raise InvalidRequestError(
            f"attributes of more than {SEARCHABLE_CHARACTERS} characters are not searched"
        )
    return found


async def find_page(
    reading: Reading, realm_id: str, criteria: Criteria, *, first: int, most: int
) -> list[Client]:
    """The clients from the ``first`` (0 is the beginning) on, at most ``most``."""
    return await _read(reading, realm_id, await find_ids(reading, realm_id, criteria, Page(first, most)))


async def find_after(
    reading: Reading, realm_id: str, criteria: Criteria, *, after: str, most: int
) -> list[Client]:
    """The clients whose ids come after ``after``, at most ``most``."""
    page = Page(0, most, after)
    return await _read(reading, realm_id, await find_ids(reading, realm_id, criteria, page))


async def _read(reading: Reading, realm_id: str, ids: list[str]) -> list[Client]:
    rows = await reading.connection.execute(_by_ids, {"realm_id": realm_id, "ids": ids}) if ids else ()
    return [reading.clients.from_row(row) for row in rows]
