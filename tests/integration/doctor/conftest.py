"""Settings of an installation without faults, on SQLite and a real Redis."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from keyturn_credentials.settings import CredentialsSettings
from tests.integration.doctor.examining import Installation, installed
from tests.testkit.admin_api import settings_for
from tests.testkit.fixtures.logs import logs_as_before

__all__ = ["logs_as_before"]


@pytest.fixture
async def settings(tmp_path: Path, redis: Redis, redis_url: str) -> AsyncIterator[CredentialsSettings]:
    await redis.config_set("appendonly", "yes")
    yield settings_for(f"sqlite+aiosqlite:///{tmp_path / 'keyturn.db'}", redis_url)
    for name, value in (("maxmemory", 0), ("maxmemory-policy", "noeviction"), ("appendonly", "no")):
        await redis.config_set(name, value)


@pytest.fixture
async def installation(settings: CredentialsSettings, redis: Redis) -> AsyncIterator[Installation]:
    """A credentials service and a node, without faults."""
    async with installed(settings, redis) as running:
        await running.api.create("", {"realm": "acme", "enabled": True})
        yield running
