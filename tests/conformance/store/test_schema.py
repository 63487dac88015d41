"""The schema created by migrations is the one that queries use."""

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.migrate import migrate
from keyturn_credentials.store.tables import metadata
from keyturn_shared.errors import ConfigurationError
from tests.conformance.store.conftest import Instance, instance_of


async def test_the_migrated_schema_is_that_of_the_tables(instance: Instance) -> None:
    def is_ours(_item: object, name: str | None, *_: object) -> bool:
        # SQLAlchemy does not know the kind of the substring index.
        return not (name or "").startswith("client_names_parts")

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"include_object": is_ours})
        return list(compare_metadata(context, metadata))

    async with instance.database.writing() as connection:
        assert await connection.run_sync(differences) == []


async def test_instances_that_start_at_once_migrate_once(settings: CredentialsSettings) -> None:
    instances = [instance_of(settings) for _ in range(3)]
    await asyncio.gather(*(migrate(one.database) for one in instances))
    assert [await one.log.head() for one in instances] == [0, 0, 0]
    for one in instances:
        await one.database.close()


async def test_a_database_of_a_newer_build_is_left_alone(instance: Instance) -> None:
    async with instance.database.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError, match="a different build"):
        await migrate(instance.database)


@pytest.mark.parametrize(
    "url", ["sqlite+aiosqlite:////nonexistent/keyturn.db", "postgresql+asyncpg://x@127.0.0.1:1/x"]
)
async def test_a_database_that_cannot_be_reached_is_said_so(url: str) -> None:
    database = Database(url)
    with pytest.raises(ConfigurationError, match="cannot be used"):
        await migrate(database)
    await database.close()


@pytest.mark.parametrize("url", ["mysql://x", "sqlite:///x", "nonsense"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        Database(url)
