"""Time as an argument: wall-clock seconds for claims, elapsed seconds for leases."""

import time
from typing import Protocol

_ELAPSED_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    """What the services ask about time. Tests and the simulation bring their own."""

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC (NumericDate of RFC 7519 section 2, with fractions)."""
        ...

    def elapsed(self) -> float:
        """Seconds on a clock that never goes back and runs on while the process is stopped."""
        ...


class SystemClock:
    """The machine's clocks.

    ``elapsed`` reads CLOCK_BOOTTIME where there is one: it goes on through SIGSTOP and through a
    suspended machine, so a lease judged with it is over when a frozen process wakes.
    """

    def now(self) -> float:
        return time.time()

    def elapsed(self) -> float:
        return time.clock_gettime(_ELAPSED_CLOCK)
