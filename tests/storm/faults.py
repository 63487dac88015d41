"""The faults of a storm, drawn from a seed."""

import asyncio
import random
import signal
from collections import Counter

from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.storm.fleet import Process, StormFleet


class Faults:
    """One fault after another until cancelled; nodes that were stopped or killed come back."""

    def __init__(self, fleet: StormFleet, seed: int, *, pause: float) -> None:
        self.counts: Counter[str] = Counter()
        self._fleet = fleet
        self._random = random.Random(seed)
        self._pause = pause
        self._recoveries: set[asyncio.Task[None]] = set()
        self._kinds = {
            self._stop_node: 5,
            self._kill_node: 3,
            self._flush_redis: 1,
            self._restart_redis_empty: 1,
            self._fail_over: 1,
            self._kill_relay: 1,
        }

    async def run(self) -> None:
        """Every kind once, in an order drawn from the seed, then drawn by weight."""
        first = list(self._kinds)
        self._random.shuffle(first)
        while True:
            await asyncio.sleep(self._pause * self._random.uniform(0.5, 1.5))
            fault = first.pop() if first else self._random.choices(*zip(*self._kinds.items(), strict=True))[0]
            try:
                await fault()
            except (RedisError, OSError, TimeoutError):
                continue  # Redis was already busy with another fault
            self.counts[fault.__name__.strip("_")] += 1

    async def recover(self) -> None:
        """Bring everything back that is stopped or dead."""
        await asyncio.gather(*self._recoveries)
        for process in self._fleet.processes:
            process.signal(signal.SIGCONT)
            if not process.alive:
                process.start()

    async def _stop_node(self) -> None:
        node = self._random.choice(self._fleet.nodes)
        node.signal(signal.SIGSTOP)
        self._later(self._random.uniform(0.5, 14.0), node)

    async def _kill_node(self) -> None:
        node = self._random.choice(self._fleet.nodes)
        node.kill()
        self._later(self._random.uniform(0.2, 5.0), node)

    async def _flush_redis(self) -> None:
        client = Redis(port=await self._fleet.primary_port())
        await client.flushall()
        await client.aclose()

    async def _restart_redis_empty(self) -> None:
        port = await self._fleet.primary_port()
        primary = self._fleet.redis[self._fleet.redis_ports.index(port)]
        primary.kill()
        self._fleet.start_as_primary(primary)

    async def _fail_over(self) -> None:
        await self._fleet.fail_over()
        await asyncio.sleep(3)

    async def _kill_relay(self) -> None:
        self._fleet.credentials.kill()
        await asyncio.sleep(self._random.uniform(0.0, 1.0))
        self._fleet.credentials.start()

    def _later(self, seconds: float, node: Process) -> None:
        async def bring_back() -> None:
            await asyncio.sleep(seconds)
            node.signal(signal.SIGCONT)
            if not node.alive:
                node.start()

        task = asyncio.create_task(bring_back())
        self._recoveries.add(task)
        task.add_done_callback(self._recoveries.discard)
