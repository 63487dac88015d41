"""A Redis Cluster as recommended in operations.md: three primaries with two replicas each."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from redis.crc import key_slot
from redis.exceptions import RedisError

from keyturn_shared.fleet.layout import Layout
from tests.testkit.ports import find_free_port
from tests.testkit.processes import Processes
from tests.testkit.redis_groups import Server, start_server
from tests.testkit.redis_reading import execute
from tests.testkit.waiting import wait_until

SLOTS: Final = 16_384
PRIMARIES: Final = 3
REPLICAS: Final = 2
_START_SECONDS: Final = 60.0
_ATTEMPTS: Final = 5
"""Another process may take a free port before a server has it."""
_BATCH: Final = 10
"""Keys moved to another server at a time, like redis-cli."""
_MIGRATE_MILLISECONDS: Final = 5000
_SETTINGS: Final = {
    "cluster_enabled": "yes",
    "cluster_node_timeout": "2000",
    "repl_diskless_sync_delay": "0",
    "repl_ping_replica_period": "1",
    "min_replicas_to_write": "1",
    "min_replicas_max_lag": "2",
}


@dataclass
class FullCluster:
    """``slot``: the one with keyturn's partition."""

    servers: list[Server]
    slot: int

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{each.port}" for each in self.servers)

    @classmethod
    async def start(cls, processes: Processes, directory: Path) -> "FullCluster":
        servers, buses = [], []
        for _ in range(PRIMARIES * (1 + REPLICAS)):
            server, bus = await _start_server(processes, directory)
            servers.append(server)
            buses.append(bus)
        async with servers[0].client() as first:
            for server, bus in zip(servers[1:], buses[1:], strict=True):
                await execute(first, "CLUSTER MEET", "127.0.0.1", server.port, bus)
        bounds = [SLOTS * number // PRIMARIES for number in range(PRIMARIES + 1)]
        for number, server in enumerate(servers[:PRIMARIES]):
            async with server.client() as client:
                await execute(client, "CLUSTER ADDSLOTSRANGE", bounds[number], bounds[number + 1] - 1)
        group = cls(servers, key_slot(Layout().head.encode()))
        await wait_until(group._formed, timeout=_START_SECONDS)
        for number, server in enumerate(servers[PRIMARIES:]):
            async with server.client() as client:
                identity = await _identity(servers[number % PRIMARIES])
                await execute(client, "CLUSTER REPLICATE", identity)
        await wait_until(group.whole, timeout=_START_SECONDS)
        return group

    async def primaries(self, *, but: Server | None = None) -> dict[Server, bool]:
        """Return servers with slots, and whether keyturn's is among them, as the first that answers sees it.
        ``but``: one that is not asked."""
        for server in self.servers:
            if server is but:
                continue
            async with server.quick_client() as client:
                try:
                    nodes: dict[str, dict[str, Any]] = await client.cluster("nodes")
                except RedisError:
                    continue
            found = {
                self._at(address): any(int(part[0]) <= self.slot <= int(part[-1]) for part in node["slots"])
                for address, node in nodes.items()
                if node["slots"] and "master" in node["flags"] and "fail" not in node["flags"].split(",")
            }
            if any(found.values()):
                return found
        return {}

    async def owner(self) -> Server:
        """Return the primary with keyturn's slot."""

        async def found() -> Server | None:
            return next((server for server, owns in (await self.primaries()).items() if owns), None)

        return await wait_until(found, timeout=_START_SECONDS, interval=0.1)

    async def another_primary(self) -> Server:
        """Return a primary with other slots."""
        owner = await self.owner()
        return next(server for server in await self.primaries() if server is not owner)

    async def until_replaced(self, former: Server) -> None:
        """Wait until another server has the slots of that one."""

        async def replaced() -> bool:
            seen = await self.primaries(but=former)
            return len(seen) == PRIMARIES and former not in seen

        await wait_until(replaced, timeout=_START_SECONDS, interval=0.1)

    async def move_slot(self) -> None:
        """Give keyturn's slot to another primary, some keys at a time, while it is used."""
        source, target = await self.owner(), await self.another_primary()
        source_id, target_id = await _identity(source), await _identity(target)
        async with source.client() as giving, target.client() as taking:
            await execute(taking, "CLUSTER SETSLOT", self.slot, "IMPORTING", source_id)
            await execute(giving, "CLUSTER SETSLOT", self.slot, "MIGRATING", target_id)
            while keys := await execute(giving, "CLUSTER GETKEYSINSLOT", self.slot, _BATCH):
                where = ("127.0.0.1", target.port, "", 0, _MIGRATE_MILLISECONDS)
                await execute(giving, "MIGRATE", *where, "KEYS", *keys)
            for client in (taking, giving):
                await execute(client, "CLUSTER SETSLOT", self.slot, "NODE", target_id)

    async def takes_writes(self, key: str) -> bool:
        """Return whether a client that follows redirections can write that key now."""
        for asking in (False, True):
            tried = await asyncio.gather(*(_writes(server, key, asking=asking) for server in self.servers))
            if any(tried):
                return True
        return False

    async def whole(self) -> bool:
        """Return whether all servers are running, and the replicas follow; keyturn's primary has two."""
        primaries = await self.primaries()
        if len(primaries) != PRIMARIES or not all(await asyncio.gather(*map(_sees_all, self.servers))):
            return False
        for server, owns in primaries.items():
            async with server.quick_client() as client:
                try:
                    following = (await client.info("replication")).get("min_slaves_good_slaves", 0)
                except RedisError:
                    return False
            if following < (REPLICAS if owns else 1):
                return False
        return True

    def _at(self, address: str) -> Server:
        return next(each for each in self.servers if each.port == _port(address))

    async def _formed(self) -> bool:
        return all(await asyncio.gather(*map(_sees_all, self.servers)))


def _port(address: str) -> int:
    return int(address.partition("@")[0].rpartition(":")[2])


async def _start_server(processes: Processes, directory: Path) -> tuple[Server, int]:
    """Start a server; return it and the port of its bus."""
    for _ in range(_ATTEMPTS):
        bus = find_free_port()
        server = start_server(processes, directory, **_SETTINGS, cluster_port=str(bus))

        async def answers_or_ended(server: Server = server) -> bool:
            return not server.process.alive or await server.answers()

        await wait_until(answers_or_ended, timeout=_START_SECONDS)
        if server.process.alive:
            return server, bus
    raise AssertionError(f"others took one of two free ports {_ATTEMPTS} times: {server.process.output()}")


async def _identity(server: Server) -> str:
    async with server.client() as client:
        return str((await execute(client, "CLUSTER MYID")).decode())


async def _sees_all(server: Server) -> bool:
    async with server.quick_client() as client:
        try:
            state = await client.cluster("info")
        except RedisError:
            return False
    return state["cluster_state"] == "ok" and int(state["cluster_known_nodes"]) == PRIMARIES * (1 + REPLICAS)


async def _writes(server: Server, key: str, *, asking: bool) -> bool:
    if not server.process.alive:
        return False
    async with server.quick_client() as client:
        try:
            async with client.pipeline(transaction=False) as pipe:
                if asking:
                    pipe.execute_command("ASKING")
                pipe.set(key, "1", px=60_000)
                return bool((await pipe.execute(raise_on_error=False))[-1] is True)
        except RedisError:
            return False
