"""The node's membership: it joins, reports what it applied, renews its lease, catches up, leaves."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from keyturn_shared.errors import KeyturnError
from keyturn_shared.fleet.membership import MembershipChannel, Standing
from keyturn_shared.position import BEGINNING, Position
from keyturn_verifier.metrics import NodeMetrics
from keyturn_verifier.node.event_log import EventReader
from keyturn_verifier.node.follower import Follower
from keyturn_verifier.node.lease import Lease

BEHIND_SECONDS: Final = 0.05
"""How long the subscription may take to bring an event before the node reads it by itself."""
_BACKOFF_SECONDS: Final = (0.05, 0.1, 0.2, 0.4, 0.8)
_UNTRUSTED_SECONDS: Final = 0.2
_LEAVE_SECONDS: Final = 2.0

_log = structlog.get_logger(__name__)


class Member:
    """Keeps one node in the fleet.

    A round is one renewal. It comes every ``renewal_seconds``, and at once after events were applied: those
    applied while a renewal is under way lead to one more. ``details``: the JSON object for the fleet view.
    """

    def __init__(
        self,
        channel: MembershipChannel,
        events: EventReader,
        follower: Follower,
        lease: Lease,
        metrics: NodeMetrics,
        *,
        elapsed: Callable[[], float],
        details: Callable[[], str],
        renewal_seconds: float = 1.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._channel = channel
        self._events = events
        self._follower = follower
        self._lease = lease
        self._metrics = metrics
        self._elapsed = elapsed
        self._details = details
        self._renewal_seconds = renewal_seconds
        self._sleep = sleep
        self._jitter = jitter
        self._wanted = asyncio.Event()
        self._stuck_at = BEGINNING
        self._stuck_since = 0.0
        self.joined = asyncio.Event()
        self.last_error: str | None = None

    def report(self) -> None:
        """Something was applied: say so soon."""
        self._wanted.set()

    async def run(self) -> None:
        """Renew for ever, whatever goes wrong."""
        failures = 0
        while True:
            try:
                pause = await self.round()
                failures = 0
                self.last_error = None
            except Exception as error:  # noqa: BLE001 - whatever went wrong, the loop must come again
                self._note_failure(error)
                await self._sleep(self._backoff(failures))
                failures += 1
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wanted.wait()

    async def round(self) -> float:
        """One renewal, and catching up when the subscription does not. How long the next may wait."""
        self._wanted.clear()
        reported = self._follower.position
        asked_at = self._elapsed()
        renewal = await self._channel.renew(reported, self._details())
        self._metrics.renewals.labels(renewal.standing.value).inc()
        if renewal.standing is not Standing.RENEWED or renewal.head is None:
            return _UNTRUSTED_SECONDS
        self._follower.observe(renewal.head)
        self._lease.note(renewal, asked_at=asked_at, reported=reported)
        self.joined.set()
        return await self._keep_up(renewal.head)

    async def leave(self) -> None:
        """Give up the lease and say so; to be called after the last answer."""
        self._lease.void()
        try:
            async with asyncio.timeout(_LEAVE_SECONDS):
                await self._channel.leave()
        except (KeyturnError, TimeoutError) as error:
            # The record runs out by itself; until then waits count this node.
            _log.warning("leave_failed", error=repr(error))

    async def _keep_up(self, head: Position) -> float:
        position = self._follower.position
        if head <= position:
            return self._renewal_seconds
        now = self._elapsed()
        if position != self._stuck_at:
            self._stuck_at, self._stuck_since = position, now
        elif now - self._stuck_since >= BEHIND_SECONDS:
            self._metrics.catch_ups.inc()
            await self._events.catch_up(self._follower, head)
            _log.info("caught_up", since=position.stream_id, to=self._follower.position.stream_id)
            return 0.0
        return BEHIND_SECONDS

    def _note_failure(self, error: Exception) -> None:
        self.last_error = error.code if isinstance(error, KeyturnError) else type(error).__name__
        self._metrics.renewals.labels("failed").inc()
        _log.warning("renewal_failed", error=repr(error))

    def _backoff(self, failures: int) -> float:
        delay = min(_BACKOFF_SECONDS[min(failures, len(_BACKOFF_SECONDS) - 1)], self._renewal_seconds)
        return delay * (0.5 + self._jitter() / 2)
