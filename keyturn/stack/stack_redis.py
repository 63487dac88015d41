"""The Redis of a local stack: its own, or an existing one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from keyturn.local.errors import StackError
from keyturn.local.ports import ReservedPort
from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_shared.redis_client import connect
from keyturn_shared.redis_failures import REDIS_FAILURES

_POLL_SECONDS: Final = 0.1
_ANSWER_SECONDS: Final = 3.0


class StackRedis:
    """A Redis that the stack started, for its supervisor."""

    name = "redis"

    def __init__(self, server: EmbeddedRedis) -> None:
        self._server = server

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def pid(self) -> int:
        return self._server.pid

    @property
    def log(self) -> Path:
        return self._server.log

    async def start(self) -> None:
        """Start it, within a fraction of a second. Raises RedisServerError. Not in another thread: Linux ends
        it when the thread that started it is gone."""
        self._server.start()

    async def wait(self) -> str:
        """Wait until it ends."""
        while self._server.alive:  # noqa: ASYNC110 - a process does not set an asyncio.Event
            await asyncio.sleep(_POLL_SECONDS)
        return f"see {self.log}"

    async def stop(self) -> None:
        await asyncio.to_thread(self._server.stop)


@contextlib.asynccontextmanager
async def embedded_redis(directory: Path) -> AsyncIterator[StackRedis]:
    """Run a Redis with its data in that directory, while the block runs. Raises RedisServerError."""
    with ReservedPort() as port:
        redis = StackRedis(EmbeddedRedis(directory, persistent=True, port=port.number))
        await redis.start()
        try:
            yield redis
        finally:
            await redis.stop()


async def check_redis(url: str) -> None:
    """Check that Redis answers. Raises StackError, or ConfigurationError for an invalid URL."""
    client = connect(url)
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            await client.ping()
    except REDIS_FAILURES as error:
        where = urlsplit(url).netloc.rpartition("@")[2] or urlsplit(url).path
        raise StackError(f"Redis at {where} cannot be reached: {error or 'no response in time'}") from error
    finally:
        await client.aclose()
