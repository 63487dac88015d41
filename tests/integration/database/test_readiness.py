"""Readiness tells whether a change can be committed, and what keeps committed ones from the nodes."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.sealing import KeyRing
from tests.testkit.admin_api import AdminApi, running, settings_for
from tests.testkit.waiting import wait_until


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keyturn.db"


@pytest.fixture
async def api(file: Path, redis_url: str) -> AsyncIterator[AdminApi]:
    async with running(settings_for(f"sqlite+aiosqlite:///{file}", redis_url)) as started:
        await started.create("", {"realm": "acme"})
        yield started


@asynccontextmanager
async def another_process(file: Path) -> AsyncIterator[Callable[[str], Awaitable[object]]]:
    """Run statements like another process: in a thread, since this process is the service's, which may hold
    the lock and be about to release it."""
    connect = partial(sqlite3.connect, timeout=60.0, isolation_level=None, check_same_thread=False)
    with closing(connect(file)) as connection:

        async def execute(statement: str) -> object:
            return await asyncio.to_thread(connection.execute, statement)

        yield execute


async def ready(api: AdminApi) -> tuple[int, dict[str, Any]]:
    answer = await api.http.get("/health/ready")
    return answer.status_code, answer.json()


async def not_ready_with(api: AdminApi, words: str) -> bool:
    status, body = await ready(api)  # which may be a second old
    return status == 503 and words in body["reasons"]["database"]


async def test_another_process_that_keeps_the_write_lock_is_named(api: AdminApi, file: Path) -> None:
    assert (await ready(api))[0] == 200
    async with another_process(file) as execute:
        await execute("BEGIN IMMEDIATE")
        await wait_until(lambda: not_ready_with(api, "did not commit within"), timeout=60.0)
        await execute("ROLLBACK")
    await wait_until(lambda: _is_ready(api), timeout=60.0)
    answer = await api.call("POST", "/acme/clients", json={"clientId": "afterwards"})
    assert answer.status_code == 201


async def test_a_change_that_waits_too_long_for_the_lock_is_answered_with_the_cause(
    api: AdminApi, file: Path
) -> None:
    async with another_process(file) as execute:
        await execute("BEGIN IMMEDIATE")
        answers = [await api.call("POST", "/acme/clients", json={"clientId": "meanwhile"})]
        await execute("ROLLBACK")
    assert [answer.status_code for answer in answers] == [503]
    assert "another process holds the write lock (SQLITE_BUSY)" in answers[0].json()["detail"]
    assert (await api.call("POST", "/acme/clients", json={"clientId": "meanwhile"})).status_code == 201


async def test_a_schema_of_an_older_build_is_named_with_what_it_lacks(
    api: AdminApi, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """For example after a backup of an older build was restored under a running process."""
    async with another_process(file) as execute:
        await execute("BEGIN IMMEDIATE")
        await execute("UPDATE alembic_version SET version_num = '0003'")
        await execute("ALTER TABLE clients RENAME COLUMN secret_expires_at TO something_else")
        await execute("COMMIT")
    await wait_until(lambda: not_ready_with(api, "revision 0003"), timeout=60.0)
    answer = await api.call("POST", "/acme/clients", json={"clientId": "meanwhile"})
    assert answer.status_code == 503
    assert "does not fit the schema" in answer.json()["detail"]
    assert "secret_expires_at" in capsys.readouterr().out


async def test_other_encryption_keys_than_the_databases_refuse_the_start(file: Path, redis_url: str) -> None:
    settings = settings_for(f"sqlite+aiosqlite:///{file}", redis_url)
    async with running(settings):
        pass
    key_id = settings.encryption_ring().current_key_id
    others = settings_for(settings.database_url, redis_url, encryption_keys=KeyRing.generate_key())
    with pytest.raises(ConfigurationError, match=f"master were sealed under {key_id}"):
        async with running(others):
            pass
    former = settings.encryption_keys.get_secret_value()
    both = settings_for(
        settings.database_url, redis_url, encryption_keys=f"{KeyRing.generate_key()},{former}"
    )
    async with running(both) as api:
        assert (await ready(api))[0] == 200


async def test_a_redis_that_is_away_degrades_and_says_what_that_means(
    file: Path, redis_server: EmbeddedRedis
) -> None:
    async with running(settings_for(f"sqlite+aiosqlite:///{file}", redis_server.url)) as api:
        await wait_until(lambda: _degraded(api, None), timeout=60.0)
        redis_server.stop()
        await wait_until(lambda: _degraded(api, "redis"), timeout=60.0)
        _, body = await ready(api)
        meaning = "until this is fixed, changes are committed but do not reach the nodes"
        assert meaning in body["degraded"]["redis"]
        redis_server.start()
        await wait_until(lambda: _degraded(api, None), timeout=60.0)


async def test_a_redis_that_takes_no_writes_degrades_although_it_answers(api: AdminApi, redis: Redis) -> None:
    await wait_until(lambda: _degraded(api, None), timeout=60.0)
    await redis.config_set("maxmemory", "1")
    try:
        await wait_until(lambda: _degraded(api, "relay"), timeout=60.0)
        _, body = await ready(api)
        assert "maxmemory" in body["degraded"]["relay"]
    finally:
        await redis.config_set("maxmemory", "0")
    await wait_until(lambda: _degraded(api, None), timeout=60.0)


async def _degraded(api: AdminApi, part: str | None) -> bool:
    status, body = await ready(api)
    assert status == 200
    return (part is None and "degraded" not in body) or part in body.get("degraded", {})


async def _is_ready(api: AdminApi) -> bool:
    return (await ready(api))[0] == 200
