"""This node's failures by name, in windows that begin with a first failure. No I/O; bounded."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MAX_COUNTS: Final = 50_000


@dataclass(slots=True)
class _Count:
    total: int
    ends: float


class Counts:
    """Counts failures. ``elapsed``: a monotonic clock in seconds. When there are too many windows, the oldest
    is dropped."""

    def __init__(
        self, window_seconds: float, elapsed: Callable[[], float], capacity: int = MAX_COUNTS
    ) -> None:
        self._window = window_seconds
        self._elapsed = elapsed
        self._capacity = capacity
        self._counts: OrderedDict[str, _Count] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, name: str) -> tuple[int, float]:
        """Count one failure. Return the failures in this window, and the seconds left of it."""
        now = self._elapsed()
        count = self._counts.get(name)
        if count is None or now >= count.ends:
            self._counts.pop(name, None)
            count = self._counts[name] = _Count(0, now + self._window)
            self._shrink(now)
        count.total += 1
        return count.total, count.ends - now

    def _shrink(self, now: float) -> None:
        """Drop expired windows. They are in order of age, so these come first."""
        while self._counts:
            oldest = next(iter(self._counts.values()))
            if now < oldest.ends and len(self._counts) <= self._capacity:
                return
            self._counts.popitem(last=False)
