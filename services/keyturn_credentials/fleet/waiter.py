"""Waits until every node has applied a change or can no longer answer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from keyturn_credentials.errors import StoreUnavailableError
from keyturn_credentials.fleet.registry_poller import CoalescedRegistryReader
from keyturn_credentials.relay.event_log import EventLog
from keyturn_credentials.relay.reconciliation import belongs_together
from keyturn_shared.clock import Clock
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.head import Head
from keyturn_shared.fleet.registry import (
    UNKNOWN,
    FleetRegistry,
    FleetSummary,
    RegistryView,
    summarize,
)
from keyturn_shared.runtime.single_flight import SingleFlight
from keyturn_shared.tasks import end_tasks

FIRST_PAUSE_SECONDS: Final = 0.001
MAX_PAUSE_SECONDS: Final = 0.1
_PAUSE_GROWTH: Final = 1.25


class FleetWaiter:
    """Polls the registry, at first every millisecond, then less and less often, until the change is safe.

    Redis' state counts only if the database confirms that it belongs to its own log: after a restored backup,
    Redis has lost events under the same numbers until the relay notices. All waiting calls share the reads
    and this check.

    The pauses grow because a change is applied either within milliseconds or only when a lease expires. While
    Redis may have lost leases, nothing can be safe before they have expired, so there are no reads until
    then.

    ``ending``: set when this process has no time left for waits. They end then, as after their own time.
    """

    def __init__(
        self,
        registry: FleetRegistry,
        log: EventLog,
        clock: Clock,
        *,
        ending: asyncio.Event | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._ending = ending or asyncio.Event()
        self._reader = CoalescedRegistryReader(registry, clock, sleep=sleep)
        self._log = log
        self._clock = clock
        self._sleep = sleep
        self._checks: SingleFlight[int, bool] = SingleFlight()

    async def wait(self, sequence: int, timeout: float) -> FleetSummary:
        """Return the fleet's summary for that event once it is safe, or after ``timeout`` seconds."""
        _, summary = await self.watch(sequence, timeout)
        return summary

    async def has_applied(self, sequence: int) -> bool:
        """Return whether every node has applied an event, or cannot answer any more."""
        return (await self.wait(sequence, 0)).safe

    async def wait_while_likely(self, sequence: int, timeout: float) -> FleetSummary:
        """Wait like ``wait``, for a caller that did not request it: not while Redis does not answer, nor
        while it may have lost leases for longer than ``timeout``."""
        try:
            async with asyncio.timeout(timeout):
                view = await self._reader.view(sequence)
                if view.head is None or view.head.waits_after > view.now + timeout * 1000:
                    return summarize(view, sequence)
                return await self.wait(sequence, timeout)
        except (RedisUnavailableError, TimeoutError):
            return UNKNOWN

    async def watch(self, sequence: int, timeout: float) -> tuple[RegistryView | None, FleetSummary]:
        """Wait like ``wait``, and also return the view behind the summary; None while Redis does not
        answer."""
        deadline = self._clock.elapsed() + timeout
        pause = FIRST_PAUSE_SECONDS
        while True:
            view: RegistryView | None = None
            try:
                view = await self._reader.view(sequence)
                summary = summarize(view, sequence)
                if summary.safe and not await self._agrees(view.head):
                    summary = UNKNOWN  # Redis belongs to another log, or to a former state of this one
            except (RedisUnavailableError, StoreUnavailableError):
                summary = UNKNOWN
                pause = MAX_PAUSE_SECONDS
            left = deadline - self._clock.elapsed()
            if summary.safe or left <= 0 or self._ending.is_set():
                return view, summary
            await self._rest(min(max(pause, _unsettled_seconds(view)), left))
            pause = min(pause * _PAUSE_GROWTH, MAX_PAUSE_SECONDS)

    async def _rest(self, seconds: float) -> None:
        """Sleep; longer than the usual pauses only until the process is about to end."""
        if seconds <= MAX_PAUSE_SECONDS:
            await self._sleep(seconds)
            return
        either = [asyncio.ensure_future(self._sleep(seconds)), asyncio.ensure_future(self._ending.wait())]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end_tasks(*either)

    async def _agrees(self, head: Head | None) -> bool:
        """Check the head, once for all calls with the same read: they are answered together, and hold the
        same object. Raises StoreUnavailableError."""
        if head is None:
            return False
        # By identity: begun after that read, and never shared with a call that has seen a later, equal head.
        return await self._checks.run(id(head), lambda _: self._is_of_this_log(head))

    async def _is_of_this_log(self, head: Head) -> bool:
        """Compare with the database after the head was read, so that a database restored before that is
        noticed."""
        events = await self._log.read(head.position.sequence, 1)
        event_id = events[0].id if events and events[0].sequence == head.position.sequence else None
        return belongs_together(head, await self._log.fleet_state(), event_id)


def _unsettled_seconds(view: RegistryView | None) -> float:
    """Return the seconds during which no wait can succeed. Only a later epoch changes them, to a longer
    time."""
    if view is None or view.head is None:
        return 0.0
    return max(0, view.head.waits_after - view.now) / 1000
