"""A backup is of one state of the database, and a restored one claims nothing about nodes."""

import asyncio
import io
import json
from pathlib import Path

import pytest
from sqlalchemy import text

from keyturn_credentials.backup.taking import write_backup
from keyturn_credentials.relay.event_log import FleetState
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.migrate import migrate, upgrade
from keyturn_shared.fleet.partitions import MAX_PARTITIONS, Partitioning
from keyturn_shared.projection import secret_context
from tests.conformance.store.backup.conftest import RELEASE, back_up, contents_now, contents_of, restore
from tests.conformance.store.conftest import ACTOR, Instance, instance_of


async def test_what_is_committed_meanwhile_is_in_none_of_its_tables(
    filled: Instance, other: Instance
) -> None:
    before = await contents_now(filled.settings)
    stream = io.BytesIO()
    async with filled.database.snapshot() as connection:
        await connection.exec_driver_sql("SELECT value FROM event_counter")
        await other.operations.clients.create(ACTOR, "acme", {"clientId": "meanwhile"})
        await write_backup(connection, stream, filled.settings.encryption_ring(), release=RELEASE, now=0.0)
    stream.seek(0)
    assert contents_of(stream) == before
    assert await other.log.head() == before["event_counter"][0][1] + 1  # type: ignore[operator]  # a number


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_snapshot_cannot_be_written_to(filled: Instance) -> None:
    async with filled.database.snapshot() as connection:
        with pytest.raises(Exception, match="read-only"):
            await connection.exec_driver_sql("DELETE FROM events")


async def put_rows(connection: Connection, settings: CredentialsSettings) -> None:
    """Write a realm with a client, as a former release did."""
    sealed = settings.encryption_ring().seal(b"the-secret", secret_context("uuid-1"))
    digest = settings.fleet_ring().digest("the-secret", secret_context("uuid-1"))
    secret = {"digest": digest, "created_at": 1.0, "expires_at": None, "sealed": sealed}
    place = "CAST(:secrets AS json)" if connection.dialect.name == "postgresql" else ":secrets"
    realm = (
        "INSERT INTO realms (id, name, enabled, attributes, document, keys_not_before, version)"
        " VALUES ('realm-1', 'acme', true, '{}', '{}', 0, 1)"
    )
    client = (
        "INSERT INTO clients (uuid, realm_id, client_id, enabled, authenticator, attributes, document,"
        " secrets, revoked_keys, keys_not_before, version)"
        " VALUES ('uuid-1', 'realm-1', 'orders', true, 'client-secret', '{}', '{}',"
        f" {place}, '{{}}', 0, 3)"
    )
    await connection.execute(text(realm))
    await connection.execute(text(client), {"secrets": json.dumps({"current": secret})})


@pytest.mark.parametrize("revision", ["0012", "0015"])
async def test_a_backup_of_an_earlier_release_is_upgraded(
    revision: str, settings: CredentialsSettings, target: CredentialsSettings, file: Path
) -> None:
    database = Database(settings.database_url)
    async with database.migrating() as connection:
        await connection.run_sync(upgrade, revision)
        await put_rows(connection, settings)
    async with database.snapshot() as connection:
        with file.open("wb") as stream:
            ring = settings.encryption_ring()
            await write_backup(connection, stream, ring, release="0.0.9", now=0.0)
    await database.close()
    assert (await restore(target, file)).checked.description.header.schema == revision
    restored = instance_of(target)
    async with restored.store.read() as reading:
        client = await reading.clients.get("realm-1", "uuid-1")
    assert client is not None
    assert client.secrets.current is not None
    assert client.secrets.current.secret is not None
    assert client.secrets.current.secret.reveal() == "the-secret"
    await migrate(restored.database)
    await restored.database.close()


@pytest.mark.parametrize(
    "state", [None, FleetState(7, "shut down"), FleetState(7), FleetState(7, None, Partitioning((1, 48)))]
)
async def test_a_restored_database_does_not_say_that_no_node_holds_a_lease(
    state: FleetState | None, instance: Instance, target: CredentialsSettings, file: Path
) -> None:
    if state is not None:
        await instance.log.replace_fleet_state(FleetState(), state)
    await instance.log.replace_partition_epoch(3, 0, 9_000_000_000_000)
    header = await back_up(instance.settings, file)
    is_shut_down = state is not None and state.closed_nonce is not None
    assert header.log.shut_down == is_shut_down
    await restore(target, file)
    restored = instance_of(target)
    found = await restored.log.fleet_state()
    assert found.epoch > (state or FleetState()).epoch
    assert found.closed_nonce is None
    assert found.partitioning == (state or FleetState()).partitioning
    epochs = [await restored.log.partition_epoch(number) for number in range(1, MAX_PARTITIONS + 1)]
    assert min(epochs) > 1_700_000_000_000
    assert epochs[2] == 9_000_000_000_001
    assert await restored.log.acquire_relay_lease("another", 1.0)
    await restored.database.close()


async def test_an_instance_that_starts_during_a_restoration_finds_the_restored_state(
    filled: Instance, file: Path
) -> None:
    await back_up(filled.settings, file)
    await filled.database.close()
    alone, starting = Database(filled.settings.database_url), instance_of(filled.settings)
    async with alone.alone() as connection:
        start = asyncio.create_task(migrate(starting.database))
        await asyncio.sleep(0.3)
        assert not start.done()
        await connection.exec_driver_sql("UPDATE event_counter SET value = 4711")
    await start
    assert await starting.log.head() == 4711
    await starting.database.close()
