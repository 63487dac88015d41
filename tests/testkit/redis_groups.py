"""Groups of Redis servers: a primary with replicas and a Sentinel, or a cluster."""

import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.exceptions import RedisError

from keyturn.stack.redis_server import find_redis_server
from keyturn_shared.fleet.layout import Layout
from tests.testkit.ports import find_free_port
from tests.testkit.processes import Processes, RunningProcess
from tests.testkit.redis_reading import execute
from tests.testkit.waiting import wait_until

_SERVICE = "keyturn"
_SLOTS = 16_384
_START_SECONDS = 60.0
_ATTEMPT_SECONDS = 8.0
_QUICK_SECONDS = 0.5
_COMMON = {"bind": "127.0.0.1", "save": '""', "appendonly": "no", "maxmemory-policy": "noeviction"}


@dataclass(eq=False)
class Server:
    """One Redis server. It can be paused, resumed, killed and started again."""

    port: int
    directory: Path
    arguments: Sequence[str]
    processes: Processes
    process: RunningProcess = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.process = self.processes.start([find_redis_server(), *self.arguments], cwd=self.directory)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Redis]:
        client = Redis(port=self.port, socket_timeout=3)
        try:
            yield client
        finally:
            await client.aclose()

    @asynccontextmanager
    async def quick_client(self) -> AsyncIterator[Redis]:
        """One that neither waits long for a server that is frozen, nor asks it again."""
        client = Redis(
            port=self.port,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=_QUICK_SECONDS,
            socket_connect_timeout=_QUICK_SECONDS,
        )
        try:
            yield client
        finally:
            await client.aclose()

    async def answers(self) -> bool:
        async with self.client() as client:
            try:
                return bool(await client.ping())
            except RedisError:
                return False


def start_server(processes: Processes, directory: Path, *options: str, **settings: str) -> Server:
    """Start a server on a free port, with settings of redis.conf (``_`` for ``-``)."""
    port = find_free_port()
    folder = directory / str(port)
    folder.mkdir(parents=True)
    config = folder / "redis.conf"
    given = _COMMON | {name.replace("_", "-"): value for name, value in settings.items()}
    config.write_text("".join(f"{name} {value}\n" for name, value in {"port": str(port), **given}.items()))
    return Server(port, folder, [str(config), *options], processes)


@dataclass
class SentinelGroup:
    """A primary, two replicas, and one Sentinel."""

    servers: list[Server]
    sentinel: Server

    @property
    def url(self) -> str:
        return f"redis+sentinel://127.0.0.1:{self.sentinel.port}/{_SERVICE}"

    @classmethod
    async def start(cls, processes: Processes, directory: Path) -> "SentinelGroup":
        settings = {"repl_diskless_sync_delay": "0", "repl_ping_replica_period": "1"}
        settings |= {"min_replicas_to_write": "1", "min_replicas_max_lag": "2"}
        primary = start_server(processes, directory, **settings)
        replica_of = f"127.0.0.1 {primary.port}"
        replicas = [start_server(processes, directory, **settings, replicaof=replica_of) for _ in range(2)]
        port = find_free_port()
        config = directory / "sentinel.conf"
        config.write_text(
            f"port {port}\nbind 127.0.0.1\nsentinel monitor {_SERVICE} 127.0.0.1 {primary.port} 1\n"
            f"sentinel down-after-milliseconds {_SERVICE} 2000\nsentinel failover-timeout {_SERVICE} 3000\n"
        )
        for server in (primary, *replicas):
            await wait_until(server.answers, timeout=_START_SECONDS)
        sentinel = Server(port, directory, [str(config), "--sentinel"], processes)
        group = cls([primary, *replicas], sentinel)
        await wait_until(group.whole, timeout=_START_SECONDS)
        return group

    async def primary(self) -> Server:
        """Return the Sentinel's primary."""
        async with self.sentinel.client() as client:
            found = await client.sentinel_get_master_addr_by_name(_SERVICE)
        _, port = cast("tuple[str, int]", found)
        return next(server for server in self.servers if server.port == int(port))

    async def until_other_primary_than(self, former: Server) -> Server:
        async def other() -> Server | None:
            found = await self.primary()
            return None if found is former else found

        return await wait_until(other, timeout=30, interval=0.1)

    async def whole(self) -> bool:
        """Return whether the replicas follow, and the Sentinel knows them."""
        try:
            primary = await self.primary()
            async with primary.client() as client, self.sentinel.client() as watcher:
                following = (await client.info("replication")).get("min_slaves_good_slaves")
                seen = cast("dict[str, Any]", await watcher.sentinel_master(_SERVICE))
        except RedisError:
            return False
        return following == 2 and seen["num-slaves"] == 2


@dataclass
class ClusterGroup:
    """Three primaries, and a replica of the one with keyturn's partition."""

    servers: list[Server]
    owner: Server
    replica: Server

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in self.servers[:3])

    @classmethod
    async def start(cls, processes: Processes, directory: Path) -> "ClusterGroup":
        settings = {"cluster_enabled": "yes", "cluster_node_timeout": "2000"}
        settings |= {"repl_diskless_sync_delay": "0"}
        # The usual bus port, 10000 higher, would often be out of range.
        buses = [str(find_free_port()) for _ in range(4)]
        servers = [start_server(processes, directory, **settings, cluster_port=bus) for bus in buses]
        for server in servers:
            await wait_until(server.answers, timeout=_START_SECONDS)
        bounds = [0, _SLOTS // 3, 2 * _SLOTS // 3, _SLOTS]
        async with servers[0].client() as first:
            for server, bus in zip(servers[1:], buses[1:], strict=True):
                await execute(first, "CLUSTER MEET", "127.0.0.1", server.port, bus)
        for index, server in enumerate(servers[:3]):
            async with server.client() as client:
                await execute(client, "CLUSTER ADDSLOTSRANGE", bounds[index], bounds[index + 1] - 1)
        slot = key_slot(Layout().head.encode())
        owner = servers[max(index for index in range(3) if bounds[index] <= slot)]
        group = cls(servers, owner, servers[3])
        await wait_until(group._formed, timeout=_START_SECONDS)
        async with owner.client() as client:
            identity = (await execute(client, "CLUSTER MYID")).decode()
        async with group.replica.client() as client:
            await execute(client, "CLUSTER REPLICATE", identity)
        await wait_until(group._replicated, timeout=_START_SECONDS)
        return group

    async def fail_over(self) -> None:
        """Make the replica the owner of the partition."""
        async with self.replica.client() as client:
            asked_at = -math.inf

            async def promoted() -> bool:
                nonlocal asked_at
                if (await client.info("replication"))["role"] == "master":
                    return True
                # The servers give one attempt up after five seconds.
                if monotonic() - asked_at > _ATTEMPT_SECONDS:
                    asked_at = monotonic()
                    with suppress(RedisError):  # it may have succeeded meanwhile
                        await execute(client, "CLUSTER FAILOVER")
                return False

            await wait_until(promoted, interval=0.1)
        self.owner, self.replica = self.replica, self.owner

    async def _formed(self) -> bool:
        for server in self.servers:
            async with server.client() as client:
                state = await client.cluster("info")
                if state["cluster_state"] != "ok" or state["cluster_known_nodes"] != "4":
                    return False
        return True

    async def _replicated(self) -> bool:
        async with self.replica.client() as client:
            return (await client.info("replication")).get("master_link_status") == "up"
