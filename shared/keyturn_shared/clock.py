"""Time as an argument: wall-clock seconds for claims, elapsed seconds for leases."""

import time
from typing import Protocol

_ELAPSED_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    """The clock of a service. Tests and the simulation supply their own."""

    def now(self) -> float:
        """Return seconds since 1970-01-01 UTC (NumericDate of RFC 7519 section 2, with fractions)."""
        ...

    def elapsed(self) -> float:
        """Return seconds of a clock that never goes back and keeps running while the process is stopped."""
        ...


class SystemClock:
    """The machine's clocks. ``elapsed`` reads CLOCK_BOOTTIME where available: it keeps running during SIGSTOP
    and system suspend, so a frozen process finds its lease expired when it wakes."""

    def now(self) -> float:
        return time.time()

    def elapsed(self) -> float:
        return time.clock_gettime(_ELAPSED_CLOCK)
