"""Fills a database with any number of clients, in the time it takes to write the rows.

Every client is made by the service's own code and has everything a client made over the admin API has: its
row, its place in the page index, its searchable attributes, its projection, its event and its audit entry, in
one log without gaps. Only the calls are left out. The service may run meanwhile; it is not notified, and
finds the new events by itself.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import Table, delete, select, text, update
from sqlalchemy.engine import Connection as SynchronousConnection

from keyturn_credentials.domain.client import check_client
from keyturn_credentials.domain.projection_builder import Projector
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.representation import client_from
from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.operations.changes import Changes
from keyturn_credentials.operations.realms import RealmOperations
from keyturn_credentials.operations.secret_issuer import SecretIssuer
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.audit_tables import audit
from keyturn_credentials.store.audit_writing import audit_row
from keyturn_credentials.store.clients import Clients, searchable
from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.event_log import DatabaseEventLog
from keyturn_credentials.store.migrate import migrate
from keyturn_credentials.store.page_index import BLOCK, cut
from keyturn_credentials.store.tables import (
    client_attributes,
    client_name_blocks,
    client_names,
    clients,
    event_counter,
    events,
    projections,
)
from keyturn_credentials.store.unit_of_work import Actor, Store
from keyturn_shared.clock import SystemClock
from keyturn_shared.events import ClientCreated, encode_event
from keyturn_shared.projection import client_field, encode_projection
from keyturn_shared.secret import Secret
from keyturn_shared.signed_log.signer import LogSigner
from tests.testkit.client_population import REALM, representation_of

_BATCH: Final = 5000
_BLOCKS: Final = 64
"""Blocks of names that are made at a time."""
_UNCHAINED: Final = dict.fromkeys(("id", "chain_number", "chain_previous", "chain_standing"))
_json: Final = msgspec.json.Encoder()

Rows = dict[Table, list[tuple[Any, ...]]]
Represent = Callable[[int], Mapping[str, Any]]


class _Writer:
    """Makes the rows of one realm's clients."""

    def __init__(
        self, settings: CredentialsSettings, realm: Realm, represent: Represent, signer: LogSigner
    ) -> None:
        encryption, fleet = settings.encryption_ring(), settings.fleet_ring()
        self._projector = Projector(encryption, fleet)
        self._maker = SecretIssuer(fleet)
        self._encryption = encryption
        self._signer = signer
        self._realm = realm
        self._represent = represent

    def rows(self, connection: Connection, numbers: range, sequence: int, now: float) -> Rows:
        """Return rows in the order of the tables' columns, for events from ``sequence`` on."""
        rows: Rows = {
            table: [] for table in (clients, client_names, client_attributes, projections, events, audit)
        }
        sealing = Clients(connection, self._encryption)
        realm = self._realm
        for number in numbers:
            representation = dict(self._represent(number))
            wanted = client_from(representation, uuid=str(uuid.uuid4()), realm_id=realm.id)
            secret = representation.get("secret")
            client, _ = self._maker.give_first(wanted, realm, Secret(secret) if secret else None, now)
            check_client(client)
            field = client_field(realm.id, client.client_id)
            event = ClientCreated(
                sequence=sequence,
                id=str(uuid.uuid4()),
                occurred_at=now,
                touches=(field,),
                realm_id=realm.id,
                realm=realm.name,
                client_uuid=client.uuid,
                client_id=client.client_id,
            )
            rows[clients].append(_in_order(clients, sealing.to_row(client)))
            name_of = (realm.id, client.client_id)
            rows[client_names].append(name_of)
            rows[client_attributes] += [
                (*name_of, name, value) for name, value in searchable(client.attributes).items()
            ]
            body = encode_projection(self._projector.project_client(realm, client))
            rows[projections].append((field, sequence, self._signer.projection(field, sequence, body)))
            about = (realm.id, client.uuid)
            payload = self._signer.event(sequence, encode_event(event))
            touches = _json.encode(event.touches).decode()
            rows[events].append((sequence, event.id, "client_created", *about, payload, touches, now))
            written = audit_row(
                self._encryption,
                Principal.system(),
                occurred_at=now,
                action="client_created",
                realm_id=realm.id,
                client_uuid=client.uuid,
                client_id=client.client_id,
                sequence=sequence,
            )
            rows[audit].append(_in_order(audit, {**_UNCHAINED, **written})[1:])
            sequence += 1
        return rows


def _in_order(table: Table, row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(
        _json.encode(value).decode() if isinstance(value := row[column.name], Mapping) else value
        for column in table.columns
    )


async def fill(
    settings: CredentialsSettings,
    count: int,
    *,
    realm: str = REALM,
    represent: Represent = representation_of,
    first: int = 0,
    on_batch: Callable[[int], None] = lambda done: None,
) -> int:
    """Create the clients numbered ``first`` to ``first + count - 1`` in a realm, which is created if
    necessary; return the newest sequence. Raises StoreUnavailableError, ConfigurationError."""
    clock = SystemClock()
    database = Database(settings.database_url)
    store = Store(database, clock, settings.encryption_ring(), log_keys=settings.log_keys())
    try:
        await migrate(database)
        projector = Projector(store.encryption, settings.fleet_ring(), settings.named_fetcher_keys())
        async with store.read() as reading:
            found = await reading.realms.get(realm)
        if found is None:
            operations = RealmOperations(store, Changes(store, projector), store.encryption)
            found = (await operations.create(Actor(Principal.system()), {"realm": realm})).value
        identity = await DatabaseEventLog(database, clock).identity()
        writer = _Writer(settings, found, represent, LogSigner(settings.log_keys(), identity))
        newest = 0
        for numbers in _in_batches(range(first, first + count)):
            async with database.writing() as connection:
                taken = update(event_counter).values(value=event_counter.c.value + len(numbers))
                newest = (await connection.execute(taken.returning(event_counter.c.value))).scalar_one()
                rows = writer.rows(connection, numbers, newest - len(numbers) + 1, clock.now())
                for table, values in rows.items():
                    await _insert(connection, database.is_postgresql, table, values)
            on_batch(numbers.stop - first)
        async with database.writing() as connection:
            await connection.execute(
                update(event_counter).values(value=event_counter.c.value)
            )  # lock the log
            await _cut_into_blocks(connection, found.id)
        await _settle(database)
        return newest
    finally:
        await database.close()


def _in_batches(numbers: range) -> Iterator[range]:
    for start in range(numbers.start, numbers.stop, _BATCH):
        yield range(start, min(start + _BATCH, numbers.stop))


async def _cut_into_blocks(connection: Connection, realm_id: str) -> None:
    """Make all blocks at the end: with one client after the other, each block would be split many times."""
    await connection.execute(delete(client_name_blocks).where(client_name_blocks.c.realm_id == realm_id))
    of_realm = select(client_names.c.client_id).where(client_names.c.realm_id == realm_id)
    after = ""
    while True:
        following = of_realm.where(client_names.c.client_id > after).order_by(client_names.c.client_id)
        names = list((await connection.execute(following.limit(_BLOCKS * BLOCK))).scalars())
        if not names:
            return
        await connection.execute(client_name_blocks.insert(), cut(realm_id, names[0] if after else "", names))
        after = names[-1]


async def _insert(
    connection: Connection, on_postgresql: bool, table: Table, rows: list[tuple[Any, ...]]
) -> None:
    numbered = table in (audit, client_names)  # by the database
    names = [column.name for column in table.columns if not (numbered and column.name == "id")]
    if not rows:
        return
    if on_postgresql:

        def copy(synchronous: SynchronousConnection) -> None:
            copied = {"records": rows, "columns": names, "timeout": 120}
            raw: Any = synchronous.connection.dbapi_connection
            raw.run_async(lambda driver: driver.copy_records_to_table(table.name, **copied))

        await connection.run_sync(copy)
    else:
        places = ", ".join("?" * len(names))
        statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({places})"
        await connection.exec_driver_sql(statement, rows)


async def _settle(database: Database) -> None:
    """Do what the database's own background work would do in time: update the planner's statistics, and
    checkpoint the log."""
    statements = (
        ("VACUUM ANALYZE", "CHECKPOINT")
        if database.is_postgresql
        else ("ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)")
    )
    async with database.maintaining() as connection:
        for statement in statements:
            await connection.execute(text(statement))
