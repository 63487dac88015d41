"""Clients by the ends of their secrets and certificates, a page at a time, through indexes."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import and_, or_, select, update

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.client_keys import certificate_ends_at
from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.tables import clients
from keyturn_credentials.store.unit_of_work import Reading
from keyturn_shared.client_authenticators import CLIENT_AUTHENTICATORS

_WITH_KEYS: Final = [each.id for each in CLIENT_AUTHENTICATORS.values() if each.credential == "keys"]


@dataclass(frozen=True, slots=True)
class Ending:
    """A column with the end of a credential, in NumericDate seconds. An index has it within each realm."""

    column: Any
    name: str


SECRET_ENDS: Final = Ending(clients.c.secret_expires_at, "secret_expires_at")
CERTIFICATE_ENDS: Final = Ending(clients.c.certificate_ends_at, "certificate_ends_at")


@dataclass(frozen=True, slots=True)
class Place:
    """A client's place among those of its realm, by the end of its credential."""

    at: float
    uuid: str


async def find_ending(
    reading: Reading, realm_id: str, ending: Ending, *, until: float, most: int, after: Place | None = None
) -> list[Client]:
    """Return at most ``most`` clients whose credential ends by then, the soonest first, of those after a
    place."""
    return [client for client, _ in await ending_page(reading, realm_id, ending, until, most, after)]


async def ending_page(
    reading: Reading, realm_id: str, ending: Ending, until: float, most: int, after: Place | None
) -> list[tuple[Client, Place]]:
    """Return clients as ``find_ending`` does, with their places."""
    at = ending.column
    query = select(clients).where(clients.c.realm_id == realm_id, at <= until)
    if after is not None:
        query = query.where(
            at >= after.at, or_(at > after.at, and_(at == after.at, clients.c.uuid > after.uuid))
        )
    return await _pages(reading, ending, query.order_by(at, clients.c.uuid).limit(most))


async def ended_page(
    reading: Reading, realm_id: str, ending: Ending, by: float, most: int, after: Place | None
) -> list[tuple[Client, Place]]:
    """Return clients whose credential has ended by then, the latest first, with their places."""
    at = ending.column
    query = select(clients).where(clients.c.realm_id == realm_id, at <= by)
    if after is not None:
        query = query.where(
            at <= after.at, or_(at < after.at, and_(at == after.at, clients.c.uuid < after.uuid))
        )
    return await _pages(reading, ending, query.order_by(at.desc(), clients.c.uuid.desc()).limit(most))


@dataclass(frozen=True, slots=True)
class StoredEnds:
    """A page of a realm's clients. ``last``: the last id; None if there are no more. ``differing``: clients
    whose stored end of a certificate is not that of their certificate. ``unreadable``: UUIDs of those with a
    secret that cannot be decrypted."""

    last: str | None
    differing: list[Client]
    unreadable: list[str]


async def stored_ends(reading: Reading, realm_id: str, *, after: str, most: int) -> StoredEnds:
    """Return the next clients in order of their ids. An earlier build wrote no end of a
    certificate."""
    columns, differing = clients.c, []
    query = (
        select(clients)
        .where(columns.realm_id == realm_id, columns.client_id > after)
        .order_by(columns.client_id)
        .limit(most)
    )
    rows = list(await reading.connection.execute(query))
    for row in rows:
        if row.certificate_ends_at is not None or row.authenticator in _WITH_KEYS:
            client = reading.clients.from_row(row)
            if certificate_ends_at(client) != row.certificate_ends_at:
                differing.append(client)
    unreadable = [row.uuid for row in rows if not reading.clients.is_readable(row)]
    return StoredEnds(rows[-1].client_id if len(rows) == most else None, differing, unreadable)


async def note_certificate_end(connection: Connection, client: Client) -> None:
    """Store the end of a client's certificate, unless it has changed since it was read. It is not a change:
    nodes do not use it."""
    wanted = update(clients).where(clients.c.uuid == client.uuid, clients.c.version == client.version)
    await connection.execute(wanted.values(certificate_ends_at=certificate_ends_at(client)))


async def _pages(reading: Reading, ending: Ending, query: Any) -> list[tuple[Client, Place]]:
    rows = await reading.connection.execute(query)
    return [(reading.clients.from_row(row), Place(getattr(row, ending.name), row.uuid)) for row in rows]
