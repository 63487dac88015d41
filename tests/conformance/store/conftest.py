"""One suite for both databases. Two stores on one database stand for two instances of the service."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.operations.wiring import Operations, build_operations
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.event_log import DatabaseEventLog
from keyturn_credentials.store.migrate import migrate
from keyturn_credentials.store.unit_of_work import Actor, Store
from keyturn_shared.clock import SystemClock
from tests.testkit.admin_api import settings_for
from tests.testkit.migrated_database import put_schema

ACTOR = Actor(Principal.system(), "192.0.2.1")


@dataclass
class Instance:
    """One instance's access to the database."""

    settings: CredentialsSettings
    database: Database
    store: Store
    operations: Operations
    log: DatabaseEventLog
    committed: list[int]


def instance_of(settings: CredentialsSettings) -> Instance:
    clock = SystemClock()
    database = Database(settings.database_url, pool_size=8)
    committed: list[int] = []
    store = Store(
        database,
        clock,
        settings.encryption_ring(),
        log_keys=settings.log_keys(),
        on_committed=committed.append,
    )
    operations = build_operations(store, clock, settings)
    return Instance(settings, database, store, operations, DatabaseEventLog(database, clock), committed)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/keyturn.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def settings(database_url: str) -> CredentialsSettings:
    return settings_for(database_url, "redis://127.0.0.1:1/0")


@pytest.fixture
async def instance(settings: CredentialsSettings) -> AsyncIterator[Instance]:
    """An instance on a migrated, empty database."""
    put_schema(settings.database_url)
    made = instance_of(settings)
    await migrate(made.database)
    yield made
    await made.database.close()


@pytest.fixture
async def other(instance: Instance) -> AsyncIterator[Instance]:
    """A second instance on the same database."""
    made = instance_of(instance.settings)
    yield made
    await made.database.close()
