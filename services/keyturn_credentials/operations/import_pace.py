"""Pace of an import: the number of clients per transaction, and pauses for other writers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

Item = TypeVar("Item")

_BATCH: Final = 100
BACKGROUND_BATCH: Final = 250
"""On SQLite other writers wait for as long as such a transaction takes: a quarter of a second of one core."""
BACKGROUND_WHOLE: Final = 1000
GIVE_WAY_SECONDS: Final = 0.11
"""Longer than the 100 ms at which another process polls SQLite's lock."""


@dataclass(frozen=True, slots=True)
class Pace:
    """``batch``: clients per transaction. ``give_way``: seconds between two transactions. ``progress``:
    called after each batch with the number of clients done and the total. ``whole``: most clients that a new
    realm is created with in one transaction; by default a batch."""

    batch: int = _BATCH
    give_way: float = 0.0
    progress: Callable[[int, int], None] = lambda done, of: None
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    whole: int | None = None

    @property
    def most_at_once(self) -> int:
        """Return the most clients that a new realm is created with in one transaction."""
        return self.batch if self.whole is None else self.whole

    async def batches(self, items: Sequence[Item]) -> AsyncIterator[Sequence[Item]]:
        """Yield the items in batches, in order, with a pause between two."""
        for start in range(0, len(items), self.batch):
            if start:
                await self.pause(self.give_way)
            yield items[start : start + self.batch]
            self.progress(min(start + self.batch, len(items)), len(items))


AT_ONCE: Final = Pace()
"""Pace within the service, where other writers queue."""


def background_pace(progress: Callable[[int, int], None]) -> Pace:
    """Return the pace for a process other than the service."""
    return Pace(BACKGROUND_BATCH, GIVE_WAY_SECONDS, progress, whole=BACKGROUND_WHOLE)
