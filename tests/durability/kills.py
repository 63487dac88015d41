"""Kills instances, and PostgreSQL if asked to, and starts them again."""

import asyncio
import random
from collections import Counter

from tests.durability.http import until_ready
from tests.durability.instances import READY_SECONDS, Instance, Surroundings
from tests.durability.watching import RelayWatch
from tests.support.waiting import wait_until

_RELAYING_SECONDS = 30.0


class Kills:
    """One kill after another until cancelled; the first one meets the instance that relays."""

    def __init__(
        self, surroundings: Surroundings, watch: RelayWatch, seed: int, *, pause: float, database: bool
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._surroundings = surroundings
        self._watch = watch
        self._random = random.Random(seed)
        self._pause = pause
        self._database = database

    async def run(self) -> None:
        await asyncio.sleep(self._pause / 2)
        await self._kill(await wait_until(lambda: self._watch.relaying, timeout=_RELAYING_SECONDS))
        while True:
            await asyncio.sleep(self._pause * self._random.uniform(0.5, 1.5))
            if self._database and self._random.random() < 0.2:
                await self._kill_database()
            else:
                await self._kill(self._random.choice(self._surroundings.instances))

    async def recover(self) -> None:
        """Bring everything back that is dead."""
        for instance in self._surroundings.instances:
            if not instance.alive:
                instance.start()
        for instance in self._surroundings.instances:
            await until_ready(instance.url, seconds=READY_SECONDS)

    async def _kill(self, instance: Instance) -> None:
        relayed = self._watch.relaying is instance
        instance.kill()
        self.counts["relaying instance" if relayed else "instance"] += 1
        await asyncio.sleep(self._random.uniform(0.0, 1.0))
        instance.start()
        # Of two there is always one that works: what is shown here is not an outage of the service.
        await until_ready(instance.url, seconds=READY_SECONDS)

    async def _kill_database(self) -> None:
        postgres = self._surroundings.postgres
        assert postgres is not None
        await asyncio.to_thread(postgres.kill)
        postgres.start()
        self.counts["database"] += 1
