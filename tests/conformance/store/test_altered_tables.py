"""An upgrade of PostgreSQL beside changes of the former release."""

import asyncio

import pytest
from sqlalchemy import Connection, text

from keyturn_credentials.store import altered_tables
from keyturn_credentials.store.altered_tables import lock_altered
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.migrate import Schema, migrate, read_schema
from keyturn_shared.errors import ConfigurationError
from tests.conformance.store.revisions import script_directory, upgrade_to
from tests.testkit.waiting import in_time, wait_until

_FORMER = "0014"
_STRONG = "('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')"
_WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND database ="
_HERE = "(SELECT oid FROM pg_database WHERE datname = current_database())"


def _tables(connection: Connection) -> set[str]:
    found = connection.execute(text("SELECT relname FROM pg_class WHERE relkind = 'r'"))
    return set(found.scalars()) - {"alembic_version"}


def _locked(connection: Connection) -> set[str]:
    asked = (
        f"SELECT relation::regclass::text FROM pg_locks WHERE pid = pg_backend_pid() AND mode IN {_STRONG}"
    )
    return set(connection.execute(text(f"{asked} AND relation IS NOT NULL")).scalars())


@pytest.mark.parametrize(
    "revision", [each.revision for each in script_directory().iterate_revisions("head", _FORMER)]
)
async def test_each_migration_names_the_tables_that_it_locks(postgres_url: str, revision: str) -> None:
    script = script_directory().get_revision(revision)
    database = Database(postgres_url)
    async with database.migrating() as connection:
        await connection.run_sync(upgrade_to, str(script.down_revision))
    async with database.migrating() as connection:
        before = await connection.run_sync(_tables)
        await connection.run_sync(upgrade_to, script.revision)
        locked = await connection.run_sync(_locked)
    await database.close()
    assert set(script.module.alters) == before & locked


async def test_a_change_in_progress_ends_before_the_upgrade_begins(postgres_url: str) -> None:
    """It has written a client, and writes its audit entry when the upgrade already waits."""
    database, former = Database(postgres_url), Database(postgres_url)
    async with database.migrating() as connection:
        await connection.run_sync(upgrade_to, _FORMER)

    async def upgrade_waits() -> bool:
        async with database.reading() as connection:
            return bool((await connection.execute(text(f"{_WAITING} {_HERE}"))).scalar_one())

    async with former.migrating() as change:
        await change.execute(text("UPDATE clients SET version = version + 1"))
        upgrading = asyncio.create_task(migrate(Database(postgres_url)))
        await wait_until(upgrade_waits)
        # The lock that an INSERT takes.
        await in_time(change.execute(text("LOCK TABLE audit IN ROW EXCLUSIVE MODE")))
    await in_time(upgrading)
    assert await read_schema(database) is Schema.CURRENT
    await database.close()
    await former.close()


async def test_an_upgrade_says_which_tables_stay_in_use(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(altered_tables, "_ATTEMPTS", 2)
    pauses: list[float] = []

    async def at_once(seconds: float) -> None:
        pauses.append(seconds)

    database = Database(postgres_url)
    await migrate(database)
    async with database.migrating() as other, database.migrating() as connection:
        await other.execute(text("SELECT count(*) FROM clients"))
        with pytest.raises(ConfigurationError, match=r'transactions use "clients", "audit" all the time'):
            await lock_altered(connection, ["audit", "clients"], sleep=at_once)
        # It holds nothing, and the transaction can be used.
        assert await connection.run_sync(_locked) == set()
    assert pauses == [0.5]
    await database.close()
