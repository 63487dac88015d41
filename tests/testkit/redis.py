"""A real Redis for tests: one server per test module, emptied before every test."""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis import Redis as BlockingRedis
from redis.asyncio import Redis

from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_shared.redis_client import connect


def pause(server: EmbeddedRedis) -> None:
    """Suspend it; its clients see connections that hang."""
    os.kill(server.pid, signal.SIGSTOP)


def resume(server: EmbeddedRedis) -> None:
    """Resume a suspended server."""
    os.kill(server.pid, signal.SIGCONT)


@pytest.fixture(scope="module")
def _redis_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    directory: Path = tmp_path_factory.mktemp("redis")
    server = EmbeddedRedis(directory).start()
    yield server
    server.stop()


@pytest.fixture
def redis_server(_redis_of_module: EmbeddedRedis) -> Iterator[EmbeddedRedis]:
    """A running, empty Redis. A test may pause, kill and start it; the next one finds it running."""
    if not _redis_of_module.alive:
        _redis_of_module.start()
    with BlockingRedis.from_url(_redis_of_module.url, socket_timeout=5) as client:
        client.flushall()
    yield _redis_of_module
    if _redis_of_module.alive:
        resume(_redis_of_module)


@pytest.fixture
def redis_url(redis_server: EmbeddedRedis) -> str:
    return redis_server.url


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of the empty Redis."""
    client = connect(redis_url)
    yield client
    await client.aclose()
