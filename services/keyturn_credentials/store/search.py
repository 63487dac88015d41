"""Finding clients: by exact id, by part of the id, by attributes; a page at a time, in order of their ids."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, select

from keyturn_credentials.domain.client import Client
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.store.clients import SEARCHABLE_CHARACTERS
from keyturn_credentials.store.tables import client_attributes, clients
from keyturn_credentials.store.transaction import Reading

_TERM: Final = re.compile(r'\s*(?:"([^"]*)"|([^\s":]+)):(?:"([^"]*)"|(\S+))(?=\s|\Z)')
_MAX_TERMS: Final = 10


@dataclass(frozen=True, slots=True)
class Criteria:
    """``client_id``: exactly, or with ``is_part`` anywhere in the id, in any case."""

    client_id: str | None = None
    is_part: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)


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
    # The page is found in the index alone; only then are its clients read.
    page = _ids(realm_id, criteria).offset(first).limit(most).subquery()
    return await _read(reading, realm_id, page)


async def find_after(
    reading: Reading, realm_id: str, criteria: Criteria, *, after: str, most: int
) -> list[Client]:
    """The clients whose ids come after ``after``, at most ``most``."""
    page = _ids(realm_id, criteria).where(clients.c.client_id > after).limit(most).subquery()
    return await _read(reading, realm_id, page)


async def _read(reading: Reading, realm_id: str, page: Any) -> list[Client]:
    wanted = (
        select(clients)
        .join(page, clients.c.client_id == page.c.client_id)
        .where(clients.c.realm_id == realm_id)
        .order_by(clients.c.client_id)
    )
    return [reading.clients.from_row(row) for row in await reading.connection.execute(wanted)]


def _ids(realm_id: str, criteria: Criteria) -> Select[Any]:
    conditions: list[ColumnElement[bool]] = [clients.c.realm_id == realm_id]
    if criteria.client_id is not None and not criteria.is_part:
        conditions.append(clients.c.client_id == criteria.client_id)
    elif criteria.client_id:
        conditions.append(clients.c.client_id.icontains(criteria.client_id, autoescape=True))
    for name, value in criteria.attributes.items():
        conditions.append(
            clients.c.uuid.in_(
                select(client_attributes.c.client_uuid).where(
                    client_attributes.c.name == name, client_attributes.c.value == value
                )
            )
        )
    return select(clients.c.client_id).where(and_(*conditions)).order_by(clients.c.client_id)
