"""This node's record of the assertions it accepted, in case Redis loses its own. Pure: the clock is an
argument."""

import heapq
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from keyturn_shared.fleet.replay import Mark

CAPACITY: Final = 200_000
"""Number of marks; each takes about a hundred bytes."""


class _Entry(NamedTuple):
    until: float
    epoch: int
    key: str


class ReplayMemory:
    """Remembers marks until no node would accept their assertions any more.

    After ``begin_return``, new marks of an earlier epoch are rejected: the Redis that is waiting for this
    memory could not learn of them. If there are more marks than ``capacity``, those that expire first are
    dropped, and until then the memory is not ``whole``.
    """

    def __init__(self, elapsed: Callable[[], float], *, capacity: int = CAPACITY) -> None:
        self._elapsed = elapsed
        self._capacity = capacity
        self._entries: list[_Entry] = []
        self._epoch = 0
        self._whole_from = float("-inf")

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def whole(self) -> bool:
        """True if every mark that may still be needed is here."""
        return self._elapsed() >= self._whole_from

    def note(self, epoch: int, marks: Iterable[Mark]) -> bool:
        """Remember marks made in this epoch. Return False if the epoch is over: the marks do not count."""
        if epoch < self._epoch:
            return False
        now = self._elapsed()
        self._drop_expired(now)
        for key, seconds in marks:
            heapq.heappush(self._entries, _Entry(now + seconds, epoch, key))
        while len(self._entries) > self._capacity:
            self._whole_from = heapq.heappop(self._entries).until
        return True

    def begin_return(self, epoch: int) -> list[Mark]:
        """Return all marks made in earlier epochs, each with the seconds for which it is needed."""
        self._epoch = max(self._epoch, epoch)
        now = self._elapsed()
        self._drop_expired(now)
        return [(entry.key, entry.until - now) for entry in self._entries if entry.epoch < epoch]

    def _drop_expired(self, now: float) -> None:
        while self._entries and self._entries[0].until <= now:
            heapq.heappop(self._entries)
