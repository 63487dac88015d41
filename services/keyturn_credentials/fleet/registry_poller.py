"""Reads of the registry, shared by all concurrent waits."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from keyturn_shared.clock import Clock
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.registry import FleetRegistry, RegistryView
from keyturn_shared.runtime.batcher import Batcher

MAX_POLL_PAUSE_SECONDS: Final = 0.005
_PAUSE_FACTOR: Final = 3
_MAX_AT_ONCE: Final = 1000
_MAX_WAITING: Final = 100_000


class CoalescedRegistryReader:
    """Reads the registry once for all callers that arrived during the previous read.

    However many calls wait for the fleet, they use one connection, and the nodes' records are read once for
    all of them. After each read there is a cooldown of three times its duration, at most a few milliseconds.
    Otherwise callers with staggered pauses would keep it reading continuously, especially in a busy process.
    Calls during the cooldown join the next read.
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
        self._paused_until = clock.elapsed()
        self._batcher: Batcher[int, RegistryView] = Batcher(
            self._read,
            max_batch=_MAX_AT_ONCE,
            max_waiting=_MAX_WAITING,
            refuse=lambda reason: RedisUnavailableError(f"reading the registry: {reason}"),
            pause=self._pause,
        )

    async def view(self, sequence: int) -> RegistryView:
        """Return the registry for that event, read after this call. Raises RedisUnavailableError."""
        return await self._batcher.submit(sequence)

    async def _pause(self) -> None:
        if (pause := self._paused_until - self._clock.elapsed()) > 0:
            await self._sleep(pause)

    async def _read(self, sequences: list[int]) -> list[RegistryView]:
        begun = self._clock.elapsed()
        different = list(dict.fromkeys(sequences))
        try:
            views = dict(zip(different, await self._registry.views(different), strict=True))
        finally:
            ended = self._clock.elapsed()
            self._paused_until = ended + min(_PAUSE_FACTOR * (ended - begun), MAX_POLL_PAUSE_SECONDS)
        return [views[sequence] for sequence in sequences]
