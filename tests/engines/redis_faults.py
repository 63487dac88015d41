"""Redis Cluster and Redis with a Sentinel, with failures of their primaries."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from redis.exceptions import RedisError

from keyturn_shared.fleet.layout import Layout
from tests.engines.engine import Inject
from tests.testkit.processes import Processes
from tests.testkit.redis_cluster import FullCluster
from tests.testkit.redis_groups import SentinelGroup, Server
from tests.testkit.redis_reading import execute

_PROBE: Final = f"{Layout().prefix}probe"
_FROZEN_SECONDS: Final = 1.0
"""Time that a primary stays frozen after another one has replaced it."""


class Cluster:
    """Three primaries with two replicas each."""

    name = "cluster"

    def __init__(self, group: FullCluster, database_url: str) -> None:
        self._group = group
        self.redis_url, self.database_url = group.url, database_url

    @classmethod
    async def start(cls, processes: Processes, directory: Path, database_url: str) -> "Cluster":
        return cls(await FullCluster.start(processes, directory), database_url)

    @property
    def faults(self) -> Mapping[str, Inject]:
        return {
            "primary killed": self._kill_owner,
            "primary frozen": self._freeze_owner,
            "primary of other slots killed": self._kill_another,
            "primary restarted, empty": self._restart_owner,
            "slot moved": self._group.move_slot,
        }

    async def takes_writes(self) -> bool:
        return await self._group.takes_writes(_PROBE)

    async def whole(self) -> bool:
        return await self._group.whole()

    async def _kill_owner(self) -> None:
        await self._kill(await self._group.owner())

    async def _kill_another(self) -> None:
        await self._kill(await self._group.another_primary())

    async def _kill(self, server: Server) -> None:
        server.process.kill()
        await self._group.until_replaced(server)
        server.start()

    async def _freeze_owner(self) -> None:
        server = await self._group.owner()
        server.process.pause()
        await self._group.until_replaced(server)
        await asyncio.sleep(_FROZEN_SECONDS)
        server.process.resume()

    async def _restart_owner(self) -> None:
        server = await self._group.owner()
        server.process.kill()
        server.start()


class WatchedBySentinel:
    """A primary with two replicas."""

    name = "sentinel"

    def __init__(self, group: SentinelGroup, database_url: str) -> None:
        self._group = group
        self.redis_url, self.database_url = group.url, database_url

    @classmethod
    async def start(cls, processes: Processes, directory: Path, database_url: str) -> "WatchedBySentinel":
        return cls(await SentinelGroup.start(processes, directory), database_url)

    @property
    def faults(self) -> Mapping[str, Inject]:
        return {
            "primary killed": self._kill,
            "primary frozen": self._freeze,
            "primary restarted, empty": self._restart,
            "failed over by hand": self._fail_over,
        }

    async def takes_writes(self) -> bool:
        """Ask the server that the Sentinel names: services use no other."""
        try:
            server = await self._group.primary()
            if not server.process.alive:
                return False
            async with server.quick_client() as client:
                return bool(await client.set(_PROBE, "1", px=60_000))
        except RedisError:
            return False

    async def whole(self) -> bool:
        return await self._group.whole()

    async def _kill(self) -> None:
        server = await self._group.primary()
        server.process.kill()
        await self._group.until_other_primary_than(server)
        server.start()

    async def _freeze(self) -> None:
        server = await self._group.primary()
        server.process.pause()
        await self._group.until_other_primary_than(server)
        await asyncio.sleep(_FROZEN_SECONDS)
        server.process.resume()

    async def _restart(self) -> None:
        server = await self._group.primary()
        server.process.kill()
        server.start()

    async def _fail_over(self) -> None:
        server = await self._group.primary()
        async with self._group.sentinel.client() as client:
            await execute(client, "SENTINEL FAILOVER", "keyturn")
        await self._group.until_other_primary_than(server)
