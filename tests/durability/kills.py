"""Kills instances, and PostgreSQL on request, and restarts them."""

import asyncio
import random
from collections import Counter

from tests.durability.watching import RelayWatch
from tests.testkit.credentials_instances import READY_SECONDS, Instance, Surroundings
from tests.testkit.single_request import until_ready
from tests.testkit.waiting import happens, wait_until

_RELAYING_SECONDS = 120.0


class Kills:
    """Consecutive kills; the first one hits the instance that relays. ``one_is_over``: that instance is
    back."""

    def __init__(
        self, surroundings: Surroundings, watch: RelayWatch, seed: int, *, pause: float, database: bool
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.one_is_over = asyncio.Event()
        self._surroundings = surroundings
        self._watch = watch
        self._random = random.Random(seed)
        self._pause = pause
        self._database = database

    async def run(self, over: asyncio.Event) -> None:
        """Run until told to end. Cancellation would leave an instance dead that was about to restart."""
        await asyncio.sleep(self._pause / 2)
        await self._kill(await wait_until(lambda: self._watch.relaying, timeout=_RELAYING_SECONDS))
        self.one_is_over.set()
        while not await happens(over, within=self._pause * self._random.uniform(0.5, 1.5)):
            if self._database and self._random.random() < 0.2:
                await self._kill_database()
            else:
                await self._kill(self._random.choice(self._surroundings.instances))

    async def _kill(self, instance: Instance) -> None:
        relayed = self._watch.relaying is instance
        instance.kill()
        self.counts["relaying instance" if relayed else "instance"] += 1
        await asyncio.sleep(self._random.uniform(0.0, 1.0))
        instance.start()
        # One of two instances always works: an outage of the service is not the subject here.
        await until_ready(instance.url, seconds=READY_SECONDS)

    async def _kill_database(self) -> None:
        postgres = self._surroundings.postgres
        assert postgres is not None
        await asyncio.to_thread(postgres.kill)
        postgres.start()
        self.counts["database"] += 1
