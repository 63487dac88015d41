"""One loss of Redis, from the filled database to the recovered fleet."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.refill.probes import Answers, Prober
from benchmarks.refill.revoker import Revoker
from benchmarks.refill.surroundings import surroundings

_KNOWN: Final = 200
_PROBE_PAUSE: Final = 0.01
_REVOKE_PAUSE: Final = 0.2


@dataclass(frozen=True)
class Outcome:
    """``seconds``: from the loss until Redis is complete and every node has a lease. ``memory``: bytes that
    Redis then uses. ``disk``: bytes of the database. ``revocations``: seconds until every node had applied
    each."""

    database_seconds: float
    disk: int
    seconds: float
    memory: int
    revocations: list[float]
    answers: Answers


async def refill(
    directory: Path, clients: int, nodes: int, *, say: Callable[[str], None] = lambda text: None
) -> Outcome:
    """Raises AssertionError when something does not become ready in time."""
    known = min(_KNOWN, clients // 4)
    async with surroundings(directory, clients, nodes) as around, AsyncExitStack() as stack:
        say(f"database filled after {around.database_seconds:.0f} s; Redis is filled for the first time")
        await around.until_whole()
        prober = Prober(around.nodes, clients, list(range(known)))
        stack.push_async_callback(prober.close)
        revoker = Revoker(around, prober, list(range(known, 2 * known)))
        stack.push_async_callback(revoker.close)
        await revoker.log_in()
        await prober.warm()
        say("every node has the known clients in memory; Redis is emptied")
        over = False
        async with asyncio.TaskGroup() as meanwhile:
            await around.redis.flushall()
            lost = time.monotonic()
            meanwhile.create_task(prober.run(lambda: over, pause=_PROBE_PAUSE))
            meanwhile.create_task(revoker.run(lambda: over, pause=_REVOKE_PAUSE))
            try:
                await around.until_whole()
                seconds = time.monotonic() - lost
                # Some more, for the answers of a recovered fleet.
                await asyncio.sleep(1.0)
            finally:
                over = True
        return Outcome(
            around.database_seconds,
            (directory / "keyturn.db").stat().st_size,
            seconds,
            await around.memory(),
            revoker.seconds,
            prober.answers,
        )
