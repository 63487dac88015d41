"""One storm from start to verdict."""

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.storm.callers import Callers, Tally
from tests.storm.faults import Faults
from tests.storm.fleet import StormFleet, until_ready


@dataclass(frozen=True)
class Verdict:
    """``disagreements``: nodes that differ from the database once everything is back."""

    tally: Tally
    faults: Counter[str]
    disagreements: list[str]

    @property
    def passed(self) -> bool:
        return not self.tally.violations and not self.disagreements and self.tally.waits_safe > 0


async def storm(
    directory: Path, *, nodes: int, seconds: float, rate: float, clients: int, seed: int, pause: float
) -> Verdict:
    """Run a storm; the directory keeps the logs."""
    fleet = StormFleet(directory, nodes)
    try:
        await fleet.start()
        callers = Callers(fleet)
        await callers.prepare(clients)
        faults = Faults(fleet, seed, pause=pause)
        raging = asyncio.create_task(faults.run())
        await callers.run(rate=rate, seconds=seconds)
        raging.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await raging
        await faults.recover()
        await callers.finish()
        for url in [fleet.base_url, *fleet.node_urls]:
            await until_ready(url, seconds=60)
        return Verdict(callers.tally, faults.counts, await callers.compare())
    finally:
        fleet.stop()
