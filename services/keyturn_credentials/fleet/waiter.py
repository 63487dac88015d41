"""Waiting until no node accepts any more what a change ended."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from keyturn_credentials.errors import StoreUnavailableError
from keyturn_credentials.fleet.looks import SharedLooks
from keyturn_credentials.relay.event_log import EventLog
from keyturn_credentials.relay.judgement import belongs_together
from keyturn_shared.clock import Clock
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.head import Head
from keyturn_shared.fleet.registry import UNACCOUNTED, FleetRegistry, FleetSummary, RegistryView, judge

FIRST_LOOK_SECONDS: Final = 0.001
LONGEST_PAUSE_SECONDS: Final = 0.1
_PAUSE_GROWTH: Final = 1.25

UNKNOWN: Final = FleetSummary(applied=0, fenced=0, pending=(UNACCOUNTED,))
"""What is known of the fleet while Redis does not answer: nothing, so nothing is safe."""


class FleetWaiter:
    """Looks at the registry, at first every millisecond, then less and less often, until the change is safe.

    What Redis shows counts only if the database agrees that it is about its own log: after a backup was
    restored, Redis has events under the same numbers that are lost, until the relay finds out. All who wait
    share the looks, and that question after each of them.

    The pauses grow because a change is applied within milliseconds or not before a lease runs out. While
    Redis may have forgotten leases, nothing can be safe before they have ended, so nobody looks until then.
    """

    def __init__(
        self,
        registry: FleetRegistry,
        log: EventLog,
        clock: Clock,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._looks = SharedLooks(registry, clock, sleep=sleep)
        self._log = log
        self._clock = clock
        self._sleep = sleep
        self._checked: Head | None = None
        self._check: asyncio.Task[bool | StoreUnavailableError] | None = None

    async def wait(self, sequence: int, timeout: float) -> FleetSummary:
        """The fleet's standing towards that event once it is safe, or when ``timeout`` seconds are over."""
        _, summary = await self.watch(sequence, timeout)
        return summary

    async def wait_while_likely(self, sequence: int, timeout: float) -> FleetSummary:
        """As ``wait``, for a caller who did not ask for it: not when Redis does not answer, nor while it may
        have forgotten leases for longer than ``timeout``."""
        try:
            async with asyncio.timeout(timeout):
                view = await self._looks.view(sequence)
                if view.head is None or view.head.waits_after > view.now + timeout * 1000:
                    return judge(view, sequence)
                return await self.wait(sequence, timeout)
        except (RedisUnavailableError, TimeoutError):
            return UNKNOWN

    async def watch(self, sequence: int, timeout: float) -> tuple[RegistryView | None, FleetSummary]:
        """As ``wait``, with the view the judgement was made on; None while Redis does not answer."""
        deadline = self._clock.elapsed() + timeout
        pause = FIRST_LOOK_SECONDS
        while True:
            view: RegistryView | None = None
            summary = UNKNOWN
            try:
                view = await self._looks.view(sequence)
                summary = judge(view, sequence)
                if summary.safe and not await self._agrees(view.head):
                    summary = replace(summary, pending=(UNACCOUNTED,))
            except (RedisUnavailableError, StoreUnavailableError):
                summary = UNKNOWN
                pause = LONGEST_PAUSE_SECONDS
            left = deadline - self._clock.elapsed()
            if summary.safe or left <= 0:
                return view, summary
            await self._sleep(min(max(pause, _unsettled_seconds(view)), left))
            pause = min(pause * _PAUSE_GROWTH, LONGEST_PAUSE_SECONDS)

    async def _agrees(self, head: Head | None) -> bool:
        """``_is_of_this_log``, asked once for all who wait with the same look: they are answered together,
        and hold the very same head. Raises StoreUnavailableError."""
        if head is None:
            return False
        if self._check is None or self._check.done() or self._checked is not head:
            # Begun here, after that look, and never joined by who has seen a later one.
            self._checked, self._check = head, asyncio.create_task(self._outcome(head))
        # Shielded: others may wait for the same answer.
        outcome = await asyncio.shield(self._check)
        if isinstance(outcome, StoreUnavailableError):
            raise outcome
        return outcome

    async def _outcome(self, head: Head) -> bool | StoreUnavailableError:
        try:
            return await self._is_of_this_log(head)
        except StoreUnavailableError as error:
            return error

    async def _is_of_this_log(self, head: Head) -> bool:
        """Asked after the head was read, so that a database set back before that is noticed."""
        events = await self._log.read(head.position.sequence, 1)
        event_id = events[0].id if events and events[0].sequence == head.position.sequence else None
        return belongs_together(head, await self._log.fleet_state(), event_id)


def _unsettled_seconds(view: RegistryView | None) -> float:
    """How long no wait can succeed yet. Only a later epoch changes that, and it makes it longer."""
    if view is None or view.head is None:
        return 0.0
    return max(0, view.head.waits_after - view.now) / 1000
