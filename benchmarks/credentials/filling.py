"""Fills a database with clients, as many as are wanted, in the time it takes to write the rows.

Every client is made by the service's own code and has all that a client made over the admin API has: its
row, its place among the others' names, its searchable attributes, its projection, its event and its audit
entry, in one log without gaps. Only the calls are left out. The service may run meanwhile; it is told
nothing, and finds the new events by itself.

    KEYTURN_ENCRYPTION_KEYS=… KEYTURN_FLEET_KEYS=… KEYTURN_DATABASE_URL=sqlite+aiosqlite:///keyturn.db \\
        python -m benchmarks.credentials.filling --clients 1000000
"""

import argparse
import asyncio
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import Table, delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks.credentials.population import REALM, representation_of
from keyturn_credentials.domain.client import check_client
from keyturn_credentials.domain.projecting import Projector
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.representation import client_from
from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.operations.realms import RealmOperations
from keyturn_credentials.operations.secret_making import SecretMaker
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.clients import Clients, searchable
from keyturn_credentials.store.engine import Engines
from keyturn_credentials.store.migrate import migrate
from keyturn_credentials.store.name_blocks import BLOCK, cut
from keyturn_credentials.store.tables import (
    audit,
    client_attributes,
    client_name_blocks,
    client_names,
    clients,
    event_counter,
    events,
    projections,
)
from keyturn_credentials.store.transaction import Actor, Store
from keyturn_shared.clock import SystemClock
from keyturn_shared.events import ClientCreated, encode_event
from keyturn_shared.projection import client_field, encode_projection
from keyturn_shared.secret import Secret

_BATCH: Final = 5000
_BLOCKS: Final = 64
"""Blocks of names that are made at a time."""
_json: Final = msgspec.json.Encoder()

Rows = dict[Table, list[tuple[Any, ...]]]
Represent = Callable[[int], Mapping[str, Any]]


class _Writer:
    """Makes the rows of one realm's clients."""

    def __init__(self, settings: CredentialsSettings, realm: Realm, represent: Represent) -> None:
        encryption, fleet = settings.encryption_ring(), settings.fleet_ring()
        self._projector = Projector(encryption, fleet)
        self._maker = SecretMaker(fleet)
        self._encryption = encryption
        self._realm = realm
        self._represent = represent

    def rows(self, connection: AsyncConnection, numbers: range, sequence: int, now: float) -> Rows:
        """Rows in the order of the tables' columns, for events from ``sequence`` on."""
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
            body = encode_projection(self._projector.project_client(client))
            rows[projections].append((field, sequence, body))
            about = (realm.id, client.uuid)
            touches = _json.encode(event.touches).decode()
            rows[events].append(
                (sequence, event.id, "client_created", *about, encode_event(event), touches, now)
            )
            actor = Principal.system()
            who = (actor.realm, actor.client_id, None)
            rows[audit].append(
                (now, realm.id, "client_created", client.uuid, client.client_id, *who, sequence, "{}")
            )
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
    """Make the clients numbered ``first`` to ``first + count - 1`` in a realm, which is made if it is not
    there; the newest sequence. Raises StoreUnavailableError, ConfigurationError."""
    clock = SystemClock()
    engines = Engines(settings.database_url)
    store = Store(engines, clock, settings.encryption_ring())
    try:
        await migrate(engines)
        projector = Projector(store.encryption, settings.fleet_ring())
        async with store.read() as reading:
            found = await reading.realms.get(realm)
        if found is None:
            operations = RealmOperations(store, projector, store.encryption)
            found = (await operations.create(Actor(Principal.system()), {"realm": realm})).value
        writer = _Writer(settings, found, represent)
        newest = 0
        for numbers in _in_batches(range(first, first + count)):
            async with engines.writing() as connection:
                taken = update(event_counter).values(value=event_counter.c.value + len(numbers))
                newest = (await connection.execute(taken.returning(event_counter.c.value))).scalar_one()
                rows = writer.rows(connection, numbers, newest - len(numbers) + 1, clock.now())
                for table, values in rows.items():
                    await _insert(connection, engines.is_postgresql, table, values)
            on_batch(numbers.stop - first)
        async with engines.writing() as connection:
            await connection.execute(update(event_counter).values(value=event_counter.c.value))  # the turn
            await _cut_into_blocks(connection, found.id)
        await _settle(engines)
        return newest
    finally:
        await engines.close()


def _in_batches(numbers: range) -> Iterator[range]:
    for start in range(numbers.start, numbers.stop, _BATCH):
        yield range(start, min(start + _BATCH, numbers.stop))


async def _cut_into_blocks(connection: AsyncConnection, realm_id: str) -> None:
    """All at once at the end: one client after the other, each block would be cut many times."""
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
    connection: AsyncConnection, on_postgresql: bool, table: Table, rows: list[tuple[Any, ...]]
) -> None:
    numbered = table in (audit, client_names)  # by the database
    names = [column.name for column in table.columns if not (numbered and column.name == "id")]
    if not rows:
        return
    if on_postgresql:
        raw = await connection.get_raw_connection()
        await raw.driver_connection.copy_records_to_table(
            table.name, records=rows, columns=names, timeout=120
        )
    else:
        places = ", ".join("?" * len(names))
        statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({places})"
        await connection.exec_driver_sql(statement, rows)


async def _settle(engines: Engines) -> None:
    """What the database's own background work would do in time: tell its planner how much there is now, and
    write what stands in its log to where it belongs."""
    statements = (
        ("VACUUM ANALYZE", "CHECKPOINT")
        if engines.is_postgresql
        else ("ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)")
    )
    async with engines.maintaining() as connection:
        for statement in statements:
            await connection.execute(text(statement))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=1_000_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first client")
    parser.add_argument("--realm", default=REALM)
    chosen = parser.parse_args()
    begun = time.perf_counter()

    def report(done: int) -> None:
        if done % 100_000 == 0:
            print(f"{done} clients after {time.perf_counter() - begun:.0f} s", flush=True)

    newest = asyncio.run(
        fill(
            CredentialsSettings(),
            chosen.clients,
            realm=chosen.realm,
            first=chosen.first,
            on_batch=report,
        )
    )
    print(f"{chosen.clients} clients in {time.perf_counter() - begun:.0f} s; newest sequence {newest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
