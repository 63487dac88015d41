"""The schema that migrations make is the one the queries are written for."""

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.engine import Engines
from keyturn_credentials.store.migrate import migrate
from keyturn_credentials.store.tables import metadata
from keyturn_shared.errors import ConfigurationError
from tests.conformance.store.conftest import Instance, instance_of


async def test_the_migrated_schema_is_that_of_the_tables(instance: Instance) -> None:
    def is_ours(_item: object, name: str | None, *_: object) -> bool:
        # The index of parts is of a kind that SQLAlchemy does not know.
        return not (name or "").startswith("client_names_parts")

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"include_object": is_ours})
        return list(compare_metadata(context, metadata))

    async with instance.engines.writing() as connection:
        assert await connection.run_sync(differences) == []


async def test_instances_that_start_at_once_migrate_once(settings: CredentialsSettings) -> None:
    instances = [instance_of(settings) for _ in range(3)]
    await asyncio.gather(*(migrate(one.engines) for one in instances))
    assert [await one.log.head() for one in instances] == [0, 0, 0]
    for one in instances:
        await one.engines.close()


async def test_a_database_of_a_newer_build_is_left_alone(instance: Instance) -> None:
    async with instance.engines.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError, match="another build"):
        await migrate(instance.engines)


async def test_a_database_that_cannot_be_reached_is_said_so() -> None:
    for url in ("sqlite+aiosqlite:////nonexistent/keyturn.db", "postgresql+asyncpg://x@127.0.0.1:1/x"):
        engines = Engines(url)
        with pytest.raises(ConfigurationError, match="cannot be used"):
            await migrate(engines)
        await engines.close()


def test_other_databases_are_refused() -> None:
    for url in ("mysql://x", "sqlite:///x", "nonsense"):
        with pytest.raises(ConfigurationError):
            Engines(url)
