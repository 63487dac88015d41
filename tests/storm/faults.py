"""Faults of a storm, drawn from a seed: frequent small ones, and a few large ones."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable

from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.storm.fleet import StormFleet
from tests.storm.process import Process

_GIVE_UP_SECONDS = 90.0
_POLL_SECONDS = 0.1

Fault = Callable[[], Awaitable[None]]


class Faults:
    """Nodes are stopped and killed, and come back; Redis and the relay are hit one after the other."""

    def __init__(self, fleet: StormFleet, seed: int, *, lease: float, rest: float) -> None:
        self.counts: Counter[str] = Counter()
        self._fleet = fleet
        self._random = random.Random(seed)
        self._lease = lease
        self._rest = rest
        self._recoveries: set[asyncio.Task[None]] = set()
        great: list[Fault] = [self._flush_redis, self._restart_redis_empty, self._fail_over]
        great += [self._lose_primary, self._kill_relay]
        self._great = great

    @property
    def kinds(self) -> set[str]:
        """The names of all faults."""
        small: list[Fault] = [self._stop_node, self._kill_node]
        return {_name(fault) for fault in (*small, *self._great)}

    async def run(self, seconds: float) -> None:
        """Run until the storm is over. Every large fault comes once in every ``seconds``."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._run_small(seconds))
            both.create_task(self._run_great(seconds))

    async def recover(self) -> None:
        """Bring back everything that is stopped or dead."""
        await asyncio.gather(*self._recoveries)
        for process in self._fleet.processes:
            process.signal(signal.SIGCONT)
            if not process.alive:
                process.start()

    async def _run_small(self, seconds: float) -> None:
        until = asyncio.get_running_loop().time() + seconds
        small = [self._kill_node, self._stop_node]
        while asyncio.get_running_loop().time() < until:
            fault = small.pop() if small else self._random.choice([self._stop_node] * 3 + [self._kill_node])
            await fault()
            self.counts[_name(fault)] += 1
            await asyncio.sleep(self._rest * self._random.uniform(0.5, 1.5))

    async def _run_great(self, seconds: float) -> None:
        order = self._random.sample(self._great, len(self._great))
        begun = asyncio.get_running_loop().time()
        for number, fault in enumerate(order):
            at = begun + seconds * (number + self._random.uniform(0.2, 0.6)) / len(order)
            await asyncio.sleep(max(0.0, at - asyncio.get_running_loop().time()))
            await self._until_done(fault)
            self.counts[_name(fault)] += 1

    async def _until_done(self, fault: Fault) -> None:
        """Wait while Redis or the Sentinel is busy with the previous fault."""
        until = asyncio.get_running_loop().time() + _GIVE_UP_SECONDS
        while True:
            try:
                return await fault()
            except (RedisError, OSError, TimeoutError, ValueError):
                if asyncio.get_running_loop().time() > until:
                    raise
                await asyncio.sleep(0.5)

    async def _stop_node(self) -> None:
        """Stop one for a moment, or for longer than a lease."""
        node = self._random.choice(self._fleet.nodes)
        long = self._random.random() < 0.4
        seconds = self._random.uniform(1.0, 2.0) * self._lease if long else self._random.uniform(0.05, 1.0)
        node.signal(signal.SIGSTOP)
        self._later(seconds, node)

    async def _kill_node(self) -> None:
        node = self._random.choice(self._fleet.nodes)
        node.kill()
        self._later(self._random.uniform(0.2, 3.0), node)

    async def _flush_redis(self) -> None:
        client = Redis(port=await self._fleet.primary_port())
        try:
            await client.flushall()
        finally:
            await client.aclose()

    async def _restart_redis_empty(self) -> None:
        primary = await self._fleet.primary()
        primary.kill()
        self._fleet.start_as_primary(primary)

    async def _fail_over(self) -> None:
        """Ask the Sentinel for another primary, like an operator."""
        before = await self._fleet.primary_port()
        await self._fleet.ask_sentinel("FAILOVER")
        await self._until_another_primary(before)

    async def _lose_primary(self) -> None:
        """Kill the primary; the Sentinel finds another one by itself."""
        before = await self._fleet.primary_port()
        lost = await self._fleet.primary()
        lost.kill()
        try:
            await self._until_another_primary(before)
        finally:
            lost.start()

    async def _kill_relay(self) -> None:
        self._fleet.credentials.kill()
        await asyncio.sleep(self._random.uniform(0.0, 1.0))
        self._fleet.credentials.start()

    async def _until_another_primary(self, former: int) -> None:
        async with asyncio.timeout(_GIVE_UP_SECONDS):
            while await self._fleet.primary_port() == former:  # noqa: ASYNC110 - a Sentinel sets no Event
                await asyncio.sleep(_POLL_SECONDS)

    def _later(self, seconds: float, node: Process) -> None:
        async def bring_back() -> None:
            await asyncio.sleep(seconds)
            node.signal(signal.SIGCONT)
            if not node.alive:
                node.start()

        task = asyncio.create_task(bring_back())
        self._recoveries.add(task)
        task.add_done_callback(self._recoveries.discard)


def _name(fault: Fault) -> str:
    return str(getattr(fault, "__name__", fault)).strip("_").replace("_", " ")
