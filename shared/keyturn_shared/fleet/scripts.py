"""Running the fleet's Lua scripts."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import cache
from importlib.resources import files
from typing import Any, Final, Protocol

from redis.asyncio import Redis, RedisCluster
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from keyturn_shared.errors import RedisUnavailableError

FLEET: Final = "keyturn_shared.fleet"

MOST_AT_ONCE: Final = 40
"""Scripts of one user of a client under way at a time, each on a connection of its own; a client has 100."""
_TURN_SECONDS: Final = 3.0

Argument = str | bytes | int
Call = tuple[Sequence[str], Sequence[Argument]]


class Scripts(Protocol):
    """Runs one of the scripts by name, atomically. Replies are as Redis gives them: bytes, ints, lists.

    Raises RedisUnavailableError when Redis does not answer within the client's time limit or refuses.
    """

    async def run(self, name: str, keys: Sequence[str], arguments: Sequence[Argument]) -> Any: ...

    async def run_many(self, name: str, calls: Sequence[Call]) -> list[Any]:
        """The same script several times, in order, in one round trip; each run is atomic by itself."""
        ...


@cache
def source(name: str, package: str = FLEET) -> str:
    """The Lua text of a script in the package's folder ``lua``, the fleet's common part in front, and the
    package's own after it."""
    common = dict.fromkeys((FLEET, package))
    parts = [_text(owner, "common") for owner in common]
    return "\n".join([*parts, _text(package, name)])


def _text(package: str, name: str) -> str:
    return (files(package) / "lua" / f"{name}.lua").read_text(encoding="utf-8")


class RedisScripts:
    """A package's scripts on a real Redis. The client sets the time limits; see
    ``keyturn_shared.redis_client``. More calls than ``MOST_AT_ONCE`` wait for their turn."""

    def __init__(self, redis: Redis | RedisCluster, package: str = FLEET) -> None:
        self._redis = redis
        self._package = package
        self._scripts: dict[str, AsyncScript] = {}
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)

    async def run(self, name: str, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        try:
            async with self._turn():
                return await self._script(name)(keys=_octets(keys), args=_octets(arguments))
        except (RedisError, OSError, TimeoutError) as error:
            await self._part_from_isolated_primary(error)
            raise RedisUnavailableError(f"{name}: {error}") from error

    async def run_many(self, name: str, calls: Sequence[Call]) -> list[Any]:
        script = self._script(name)
        try:
            if isinstance(self._redis, RedisCluster):  # its pipelines take no scripts
                return [await script(keys=keys, args=arguments) for keys, arguments in calls]
            async with self._turn(), self._redis.pipeline(transaction=False) as pipeline:
                for keys, arguments in calls:
                    await script(keys=keys, args=arguments, client=pipeline)
                return await pipeline.execute()
        except (RedisError, OSError, TimeoutError) as error:
            await self._part_from_isolated_primary(error)
            raise RedisUnavailableError(f"{name}: {error}") from error

    async def _part_from_isolated_primary(self, error: Exception) -> None:
        """A primary without replicas may be a former one, which nobody has told so yet. Its connections are
        given up, so that the next call asks the Sentinel again who the primary is."""
        if "NOREPLICAS" in str(error) and not isinstance(self._redis, RedisCluster):
            with suppress(RedisError, OSError):
                await self._redis.connection_pool.disconnect(inuse_connections=False)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._turns.locked():
            async with asyncio.timeout(_TURN_SECONDS):
                await self._turns.acquire()
        else:
            await self._turns.acquire()  # at once
        try:
            yield
        finally:
            self._turns.release()

    def _script(self, name: str) -> AsyncScript:
        script = self._scripts.get(name)
        if script is None:
            script = self._scripts[name] = self._redis.register_script(source(name, self._package))
        return script


def _octets(values: Sequence[Argument]) -> list[bytes]:
    """As they go to Redis. The client would find out for each what it is, in twice the time."""
    return [value if isinstance(value, bytes) else str(value).encode() for value in values]
