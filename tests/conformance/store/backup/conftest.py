"""A database with contents of every kind, and a second one of either kind to restore into."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from sqlalchemy import insert

from keyturn_credentials.backup.contents import Header, Value
from keyturn_credentials.backup.document import Rows, read_parts
from keyturn_credentials.backup.restoring import Restored, restore_backup
from keyturn_credentials.backup.taking import take_backup, write_backup
from keyturn_credentials.operations.targets import ClientTarget
from keyturn_credentials.relay.event_log import FleetState
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.tables import ended_sign_ins, used_assertions
from keyturn_shared.clock import SystemClock
from tests.conformance.store.conftest import ACTOR, Instance, instance_of
from tests.testkit.postgres import PostgresServer

RELEASE = "9.8.7"
Contents = dict[str, list[tuple[Value, ...]]]
OF_THE_FLEET = ("fleet_state", "partition_epochs")
"""Tables that a restored database has anew."""


@pytest.fixture(params=["sqlite", "postgresql"])
def other_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a second, empty database."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/other.db"
    url: str = request.getfixturevalue("another_postgres_url")
    return url


@pytest.fixture
def another_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of a second, empty database on PostgreSQL."""
    name = postgres_server.create_database()
    yield postgres_server.url(name)
    postgres_server.drop_database(name)


@pytest.fixture
def target(settings: CredentialsSettings, other_url: str) -> CredentialsSettings:
    return settings.model_copy(update={"database_url": other_url})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keyturn.backup"


@pytest.fixture
async def filled(instance: Instance) -> Instance:
    """An instance with a realm, clients and whatever else there may be."""
    operations = instance.operations
    await operations.realms.create(ACTOR, {"realm": "acme", "attributes": {"a": "€"}})
    await operations.realms.create(ACTOR, {"realm": "beta"})
    for number in range(12):
        attributes = {"team": "payments", "n": str(number)}
        client = {"clientId": f"client-{number}", "attributes": attributes, "serviceAccountsEnabled": True}
        await operations.clients.create(ACTOR, "acme", client)
    made = await operations.clients.create(ACTOR, "beta", {"clientId": "gone"})
    await operations.clients.delete(ClientTarget(ACTOR, "beta", made.value[0].uuid))
    kept = await operations.clients.create(ACTOR, "beta", {"clientId": "kept"})
    await operations.secrets.regenerate(ClientTarget(ACTOR, "beta", kept.value[0].uuid))
    async with instance.database.writing() as connection:
        used = {"owner": "o", "digest": "d", "forget_at": 1.5}
        await connection.execute(insert(used_assertions), used)
        ended = {"id": "i", "ended_at": 1.0, "kept_until": 2.0}
        await connection.execute(insert(ended_sign_ins), ended)
    await instance.log.replace_fleet_state(FleetState(), FleetState(7))
    await instance.log.acquire_relay_lease("somebody", 0.0)
    return instance


def mode_of(file: Path) -> int:
    return file.stat().st_mode & 0o777


def octets_of(file: Path) -> bytes | None:
    """Return what a file has; None if there is no such file."""
    return file.read_bytes() if file.exists() else None


def put(file: Path, octets: bytes) -> None:
    file.write_bytes(octets)


async def back_up(settings: CredentialsSettings, file: Path, *, replace: bool = False) -> Header:
    taken = await take_backup(settings, file, release=RELEASE, clock=SystemClock(), replace=replace)
    return taken.header


async def restore(settings: CredentialsSettings, file: Path, **options: bool) -> Restored:
    return await restore_backup(settings, file, clock=SystemClock(), **options)


def contents_of(stream: BinaryIO, *, without: tuple[str, ...] = ()) -> Contents:
    """Return all rows of a backup by table, in an order of their own."""
    found: Contents = {}
    for part in read_parts(stream):
        if isinstance(part, Rows) and part.table.name not in without:
            found.setdefault(part.table.name, []).extend(_in_order(part))
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


def _in_order(rows: Rows) -> list[tuple[Value, ...]]:
    """Return the values by the names of their columns: databases may have them in another order."""
    places = sorted(range(len(rows.table.columns)), key=lambda place: rows.table.columns[place].name)
    return [tuple(row[place] for place in places) for row in rows.values]


def contents_of_file(file: Path, **options: tuple[str, ...]) -> Contents:
    with file.open("rb") as stream:
        return contents_of(stream, **options)


async def contents_now(settings: CredentialsSettings, **options: tuple[str, ...]) -> Contents:
    """Return all rows that a database has."""
    instance = instance_of(settings)
    stream = io.BytesIO()
    try:
        async with instance.database.snapshot() as connection:
            ring = settings.encryption_ring()
            await write_backup(connection, stream, ring, release=RELEASE, now=0.0)
    finally:
        await instance.database.close()
    stream.seek(0)
    return contents_of(stream, **options)
