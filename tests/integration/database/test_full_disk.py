"""A full disk below the database: the service is not ready while it refuses changes, and says so truly."""

import asyncio
import resource
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, event, text
from starlette.applications import Starlette

from keyturn_credentials.store.database import Database
from keyturn_shared.clock import SystemClock
from tests.testkit.admin_api import AdminApi, running, settings_for
from tests.testkit.admin_tokens import AdminTokens
from tests.testkit.credentials_instances import Instance, Surroundings
from tests.testkit.waiting import wait_until

_MOST_CHANGES = 500
_MOST_PAGES = 200
_temporary = text("SELECT temp_bytes FROM pg_stat_database WHERE datname = current_database()")


@pytest.fixture
async def surroundings(tmp_path: Path) -> AsyncIterator[Surroundings]:
    started = Surroundings(tmp_path, "sqlite", 1)
    try:
        yield await started.start()
    finally:
        started.close()


@pytest.fixture
async def api(surroundings: Surroundings) -> AsyncIterator[AdminApi]:
    settings, clock = surroundings.settings, SystemClock()
    async with httpx.AsyncClient(base_url=surroundings.instances[0].url, timeout=60.0) as http:
        yield AdminApi(Starlette(), settings, clock, http, AdminTokens(settings, clock))


@pytest.fixture
def few_pages() -> Iterator[None]:
    """Limit the pages of every SQLite database that is opened."""

    def limit(connection: Any, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {_MOST_PAGES}")

    event.listen(Engine, "connect", limit)
    yield
    event.remove(Engine, "connect", limit)


def limit_files(instance: Instance, size: int) -> None:
    """Let a process write no file beyond a size in bytes, as if its disk were full there."""
    assert instance.process is not None
    _, most = resource.prlimit(instance.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(instance.process.pid, resource.RLIMIT_FSIZE, (size, most))


async def until_refused(api: AdminApi) -> httpx.Response:
    """Create clients until one is refused; return that answer."""
    for number in count():
        answer = await api.call("POST", "/acme/clients", json={"clientId": f"client-{number}"})
        if answer.status_code != 201:
            return answer
        assert number < _MOST_CHANGES, "the disk is never full"
    raise AssertionError


async def ready(api: AdminApi) -> tuple[int, dict[str, Any]]:
    answer = await api.http.get("/health/ready")
    return answer.status_code, answer.json()


async def test_a_process_whose_disk_is_full_is_not_ready_and_claims_no_commit(
    surroundings: Surroundings, api: AdminApi
) -> None:
    await api.create("", {"realm": "acme"})
    instance = surroundings.instances[0]
    log = surroundings.directory / "keyturn.db-wal"
    limit_files(instance, log.stat().st_size + 30 * 4096)
    refused = await until_refused(api)
    assert refused.status_code == 503
    cause = refused.json()["detail"].removeprefix("the database failed: ")
    assert "SQLITE_IOERR_WRITE" in cause or "SQLITE_FULL" in cause

    async def is_not_ready() -> bool:
        status, body = await ready(api)
        return status == 503 and cause in body["reasons"]["database"]

    await wait_until(is_not_ready, timeout=60.0)

    async def relay_is_missed() -> bool:
        return "relay" in (await ready(api))[1].get("degraded", {})

    await wait_until(relay_is_missed, timeout=60.0)
    for _ in range(3):
        status, body = await ready(api)
        assert (status, "committed but" in body["degraded"]["relay"]) == (503, False), body
        answer = await api.call("POST", "/acme/clients", json={"clientId": "meanwhile"})
        assert answer.status_code == 503
        await asyncio.sleep(1.1)  # longer than an answer of the probe is kept

    limit_files(instance, resource.RLIM_INFINITY)

    async def is_ready() -> bool:
        status, body = await ready(api)
        return status == 200 and "degraded" not in body

    await wait_until(is_ready, timeout=60.0)
    await api.create("/acme/clients", {"clientId": "afterwards"})


async def test_the_probe_takes_space_on_postgresqls_disk(postgres_url: str, redis_url: str) -> None:
    async with running(settings_for(postgres_url, redis_url)) as api:
        assert (await ready(api))[0] == 200
        database = Database(postgres_url)

        async def has_written() -> bool:
            assert (await ready(api))[0] == 200
            async with database.reading() as connection:
                return int((await connection.execute(_temporary)).scalar_one()) >= 80 * 1024

        await wait_until(has_written, timeout=60.0)
        await database.close()


@pytest.mark.usefixtures("few_pages")
async def test_a_database_that_cannot_grow_is_not_ready(tmp_path: Path, redis_url: str) -> None:
    async with running(settings_for(f"sqlite+aiosqlite:///{tmp_path}/keyturn.db", redis_url)) as api:
        await api.create("", {"realm": "acme"})
        assert (await ready(api))[0] == 200
        refused = await until_refused(api)
        assert (refused.status_code, "the disk is full (SQLITE_FULL)" in refused.text) == (503, True)

        async def is_not_ready() -> bool:
            status, body = await ready(api)
            return status == 503 and "the disk is full (SQLITE_FULL)" in body["reasons"]["database"]

        await wait_until(is_not_ready, timeout=60.0)
