"""The current deadline of a connection."""

import asyncio
import math
from collections.abc import Callable
from typing import Final

_LATE_SECONDS: Final = 0.005
"""Lateness of a timer that shows that the process was busy or stood still. uvloop runs timers before it
reads, so a request may be waiting in the socket."""
_READ_SECONDS: Final = 0.1


class Deadline:
    """One timer per connection, not per request: when it fires, it checks whether the deadline has passed.

    ``passed`` is called once for each deadline that passes. If the timer is late, data that arrived in time
    may not have been read yet. It then gets a moment, once, and may set another deadline.
    """

    __slots__ = ("_handle", "_is_put_off", "_looks_at", "_loop", "_passed", "when")

    def __init__(self, loop: asyncio.AbstractEventLoop, passed: Callable[[], None]) -> None:
        self._loop = loop
        self._passed = passed
        self._handle: asyncio.TimerHandle | None = None
        self._looks_at = math.inf
        self._is_put_off = False
        self.when = math.inf

    def set(self, when: float) -> None:
        """Set another deadline, in the loop's time. This is cheap if the former one was earlier.

        Setting the same one again changes nothing. In particular, its moment after a late timer does not
        begin anew with each piece of a request: otherwise a caller that drips would never be late.
        """
        if when == self.when:
            return
        self.when = when
        self._is_put_off = False
        if when < self._looks_at:
            if self._handle is not None:
                self._handle.cancel()
            self._look_at(when)

    def lift(self) -> None:
        """Remove the deadline; the timer expires by itself."""
        self.when = math.inf

    def cancel(self) -> None:
        """Cancel the timer when the connection ends, and drop the reference to it."""
        self.when = math.inf
        self._passed = _nothing
        if self._handle is not None:
            self._handle.cancel()

    def _look_at(self, when: float) -> None:
        self._looks_at = when
        self._handle = self._loop.call_at(when, self._check)

    def _check(self) -> None:
        self._handle = None
        self._looks_at = math.inf
        now = self._loop.time()
        if now < self.when:
            if self.when < math.inf:
                self._look_at(self.when)
        elif now - self.when > _LATE_SECONDS and not self._is_put_off:
            self._is_put_off = True
            self._look_at(now + _READ_SECONDS)
        else:
            self.when = math.inf
            self._passed()


def _nothing() -> None:
    """Do nothing."""
