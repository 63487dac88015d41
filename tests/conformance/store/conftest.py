"""One suite for both databases. Two stores on one database stand for two instances of the service."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.operations.composition import Operations, build_operations
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.engine import Engines
from keyturn_credentials.store.event_log import DatabaseEventLog
from keyturn_credentials.store.migrate import migrate
from keyturn_credentials.store.transaction import Actor, Store
from keyturn_shared.clock import SystemClock
from tests.support.admin_api import settings_for

ACTOR = Actor(Principal.system(), "192.0.2.1")


@dataclass
class Instance:
    """What one instance of the service has of the database."""

    settings: CredentialsSettings
    engines: Engines
    store: Store
    operations: Operations
    log: DatabaseEventLog
    committed: list[int]


def instance_of(settings: CredentialsSettings) -> Instance:
    clock = SystemClock()
    engines = Engines(settings.database_url, pool_size=8)
    committed: list[int] = []
    store = Store(engines, clock, settings.encryption_ring(), on_committed=committed.append)
    operations = build_operations(store, clock, settings)
    return Instance(settings, engines, store, operations, DatabaseEventLog(engines, clock), committed)


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
    made = instance_of(settings)
    await migrate(made.engines)
    yield made
    await made.engines.close()


@pytest.fixture
async def other(instance: Instance) -> AsyncIterator[Instance]:
    """A second instance on the same database."""
    made = instance_of(instance.settings)
    yield made
    await made.engines.close()
