"""Looks at the registry, shared by all who wait at the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from keyturn_shared.clock import Clock
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.registry import FleetRegistry, RegistryView

LONGEST_REST_SECONDS: Final = 0.005
_REST: Final = 3
_MOST_AT_ONCE: Final = 1000

_Answer = RegistryView | RedisUnavailableError


class SharedLooks:
    """One round trip for everybody who asked while the last one was under way.

    However many callers wait for the fleet, they use one connection, and the records of the nodes are read
    once for all of them. After a look this rests three times as long as it took, but only some milliseconds:
    callers whose pauses end at all times would keep it looking without end, and a busy process, in which a
    look takes long, has other work to do. Who asks meanwhile has a part in the next look.
    """

    def __init__(
        self,
        registry: FleetRegistry,
        clock: Clock,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._sleep = sleep
        self._rested_at = clock.elapsed()
        self._asked: dict[int, asyncio.Future[_Answer]] = {}
        self._looking: asyncio.Task[None] | None = None

    async def view(self, sequence: int) -> RegistryView:
        """The registry towards that event, read after this call. Raises RedisUnavailableError."""
        answer = self._asked.get(sequence)
        if answer is None:
            answer = self._asked[sequence] = asyncio.get_running_loop().create_future()
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        # Shielded: others may wait for the same answer.
        seen = await asyncio.shield(answer)
        if isinstance(seen, RedisUnavailableError):
            raise seen
        return seen

    async def _look(self) -> None:
        under_way: list[asyncio.Future[_Answer]] = []
        try:
            while self._asked:
                if (rest := self._rested_at - self._clock.elapsed()) > 0:
                    await self._sleep(rest)
                batch = dict(list(self._asked.items())[:_MOST_AT_ONCE])
                under_way = list(batch.values())
                for sequence in batch:
                    del self._asked[sequence]
                begun = self._clock.elapsed()
                await self._answer(batch)
                ended = self._clock.elapsed()
                self._rested_at = ended + min(_REST * (ended - begun), LONGEST_REST_SECONDS)
        finally:
            # At once, not in a callback: who asks in between would find a look that has ended.
            self._looking = None
            interrupted = RedisUnavailableError("looking at the registry was interrupted")
            for answer in (*under_way, *self._asked.values()):
                if not answer.done():
                    answer.set_result(interrupted)
            self._asked.clear()

    async def _answer(self, batch: dict[int, asyncio.Future[_Answer]]) -> None:
        try:
            views = await self._registry.views(list(batch))
        except RedisUnavailableError as error:
            for answer in batch.values():
                answer.set_result(error)
            return
        for answer, view in zip(batch.values(), views, strict=True):
            answer.set_result(view)
