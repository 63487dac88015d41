"""Execution of the fleet's Lua scripts."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import cache
from importlib.resources import files
from typing import Any, Final, Protocol

from redis.asyncio import Redis, RedisCluster
from redis.commands.core import AsyncScript
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError

from keyturn_shared.redis_failures import REDIS_FAILURES, redis_answers

FLEET: Final = "keyturn_shared.fleet"

MAX_CONCURRENT: Final = 40
"""Scripts that one user of a client runs at a time, each on its own connection; a client has 100."""
_TURN_SECONDS: Final = 3.0

_REPEATABLE: Final = frozenset(
    {
        "find_assertions",
        "find_loss",
        "load",
        "newest_epoch",
        "read_claimants",
        "read_head",
        "registry",
        "renew",
        "return_assertions",
        "stamp",
    }
)
"""Scripts that may run twice with the same effect. A load balancer or firewall may have closed an idle
connection, which is noticed only when it is used: these scripts are then sent again over a new one."""

Argument = str | bytes | int
Call = tuple[Sequence[str], Sequence[Argument]]


class Scripts(Protocol):
    """Runs a script by name, atomically. Replies are as Redis gives them: bytes, ints, lists. Raises
    RedisUnavailableError if Redis does not answer within the client's time limit, or refuses."""

    async def run(self, name: str, keys: Sequence[str], arguments: Sequence[Argument]) -> Any: ...

    async def run_many(self, name: str, calls: Sequence[Call]) -> list[Any]:
        """Run a script several times, in order, in one round trip; each run is atomic."""
        ...


@cache
def source(name: str, package: str = FLEET) -> str:
    """Return the text of a script in the package's folder ``lua``: first the fleet's common part, then the
    package's."""
    common = dict.fromkeys((FLEET, package))
    parts = [_text(owner, "common") for owner in common]
    return "\n".join([*parts, _text(package, name)])


def _text(package: str, name: str) -> str:
    return (files(package) / "lua" / f"{name}.lua").read_text(encoding="utf-8")


class RedisScripts:
    """A package's scripts on a real Redis. Calls beyond ``MAX_CONCURRENT`` wait. The client sets
    the time limits; see ``keyturn_shared.redis_client``."""

    def __init__(self, redis: Redis | RedisCluster, package: str = FLEET) -> None:
        self._redis = redis
        self._package = package
        self._scripts: dict[str, AsyncScript] = {}
        self._turns = asyncio.Semaphore(MAX_CONCURRENT)

    async def run(self, name: str, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        with redis_answers(name):
            async with self._turn():
                try:
                    return await self._ask(name, keys, arguments)
                except REDIS_FAILURES as error:
                    await self._part_from_isolated_primary(error)
                    if name not in _REPEATABLE or not isinstance(error, RedisConnectionError):
                        raise
                    await self._part_from_idle_connections()
                return await self._ask(name, keys, arguments)

    async def _ask(self, name: str, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        return await self._script(name)(keys=_octets(keys), args=_octets(arguments))

    async def run_many(self, name: str, calls: Sequence[Call]) -> list[Any]:
        script = self._script(name)
        with redis_answers(name):
            try:
                if isinstance(self._redis, RedisCluster):  # pipelines of a cluster client take no scripts
                    return [await script(keys=keys, args=arguments) for keys, arguments in calls]
                async with self._turn():
                    return await self._ask_many(self._redis, script, calls)
            except REDIS_FAILURES as error:
                await self._part_from_isolated_primary(error)
                raise

    async def _ask_many(self, redis: Redis, script: AsyncScript, calls: Sequence[Call]) -> list[Any]:
        """Run a script by its digest. With registered scripts, a pipeline first asks whether Redis has them,
        which is another round trip."""
        for _ in range(2):
            async with redis.pipeline(transaction=False) as pipeline:
                for keys, arguments in calls:
                    pipeline.evalsha(script.sha, len(keys), *_octets(keys), *_octets(arguments))
                replies = await pipeline.execute(raise_on_error=False)
            if not all(isinstance(reply, NoScriptError) for reply in replies):
                break
            await redis.script_load(script.script)  # it has none, so nothing was run
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
        return replies

    async def _part_from_isolated_primary(self, error: Exception) -> None:
        """Drop the connections to a primary without replicas, which may be a former one. The next call then
        asks the Sentinel again for the primary."""
        if "NOREPLICAS" in str(error):
            await self._part_from_idle_connections()

    async def _part_from_idle_connections(self) -> None:
        """Drop idle connections, so that the next call opens a new one. A cluster client does that by
        itself."""
        if not isinstance(self._redis, RedisCluster):
            with suppress(*REDIS_FAILURES):
                await self._redis.connection_pool.disconnect(inuse_connections=False)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._turns.locked():
            async with asyncio.timeout(_TURN_SECONDS):
                await self._turns.acquire()
        else:
            await self._turns.acquire()  # without waiting, since the turn is free
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
    """Encode arguments for Redis. The client would inspect the type of each, in twice the time."""
    return [value if isinstance(value, bytes) else str(value).encode() for value in values]
