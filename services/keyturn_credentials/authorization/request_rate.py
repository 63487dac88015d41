"""A limit on the requests of each caller."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

REQUESTS_A_SECOND: Final = 5.0
AT_ONCE: Final = 50
_MAX_KEPT: Final = 10_000


class RequestRate:
    """A token bucket for each caller: so many requests ``a_second``, and so many ``at_once`` after a pause.
    ``elapsed``: a monotonic clock in seconds."""

    def __init__(
        self,
        elapsed: Callable[[], float],
        *,
        a_second: float = REQUESTS_A_SECOND,
        at_once: int = AT_ONCE,
    ) -> None:
        self._elapsed = elapsed
        self._a_second = a_second
        self._at_once = float(at_once)
        self._kept: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def admits(self, caller: Hashable) -> bool:
        """Count a request. Return whether it is within the limit."""
        now = self._elapsed()
        left, seen = self._kept.pop(caller, (self._at_once, now))
        left = min(self._at_once, left + (now - seen) * self._a_second)
        admitted = left >= 1
        self._kept[caller] = (left - admitted, now)
        if len(self._kept) > _MAX_KEPT:
            self._kept.popitem(last=False)
        return admitted
