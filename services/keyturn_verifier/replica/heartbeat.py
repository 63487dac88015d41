"""The node's heartbeat: it joins, reports its position, renews its lease, catches up, and leaves."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

import structlog

from keyturn_shared.errors import KeyturnError
from keyturn_shared.fleet.membership import MembershipChannel, MembershipStatus, Renewal
from keyturn_shared.fleet.partitions import Partitioning
from keyturn_shared.position import BEGINNING, Position
from keyturn_shared.runtime.backoff import Backoff
from keyturn_shared.runtime.supervised_task import SupervisedTask
from keyturn_shared.signed_log.errors import ForgedError
from keyturn_shared.signed_log.head import HeadStatement
from keyturn_shared.tasks import wait_for_event
from keyturn_verifier.metrics import RENEWAL_FAILED, NodeMetrics
from keyturn_verifier.replica.event_applier import EventApplier
from keyturn_verifier.replica.lease import Lease
from keyturn_verifier.replica.log_trust import LogTrust
from keyturn_verifier.replica.stream_reader import EventReader

BEHIND_SECONDS: Final = 0.05
"""Seconds the subscription may take to bring an event before the node reads it directly."""
_MAX_BACKOFF_SECONDS: Final = 0.8
_UNTRUSTED_SECONDS: Final = 0.2
_LEAVE_SECONDS: Final = 2.0

_log = structlog.get_logger(__name__)


class Heartbeat:
    """Keeps one node in the fleet, as a task.

    Each round renews the lease. Rounds come every ``renewal_seconds``, and at once after events were applied;
    events applied during a renewal cause one more. ``details``: the JSON object for the fleet view.
    ``partition`` gets the partitioning of used assertions that the relay has stated, and the epoch.
    """

    def __init__(
        self,
        channel: MembershipChannel,
        events: EventReader,
        applier: EventApplier,
        lease: Lease,
        log: LogTrust,
        metrics: NodeMetrics,
        *,
        elapsed: Callable[[], float],
        details: Callable[[], str],
        partition: Callable[[Partitioning, int], Awaitable[None]],
        renewal_seconds: float = 1.0,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._channel = channel
        self._events = events
        self._applier = applier
        self._lease = lease
        self._log = log
        self._metrics = metrics
        self._elapsed = elapsed
        self._details = details
        self._partition = partition
        self._renewal_seconds = renewal_seconds
        self._wanted = asyncio.Event()
        self._pause = 0.0
        self._stuck_at = BEGINNING
        self._stuck_since = 0.0
        self.joined = asyncio.Event()
        self.last_error: str | None = None
        self.task: Final = SupervisedTask(
            "member",
            self._renew,
            backoff=Backoff(longest=min(_MAX_BACKOFF_SECONDS, renewal_seconds)),
            failed=self._note_failure,
            elapsed=elapsed,
            jitter=jitter,
        )

    def report(self) -> None:
        """Send a report soon: an event was applied."""
        self._wanted.set()

    async def round(self) -> float:
        """Renew once, and catch up if the subscription lags. Return the seconds until the next round."""
        self._wanted.clear()
        reported = self._applier.position
        asked_at = self._elapsed()
        renewal = await self._channel.renew(reported, self._details())
        self._metrics.renewals.labels(renewal.status.value).inc()
        self.last_error = None
        if renewal.status is not MembershipStatus.RENEWED or renewal.head is None:
            return _UNTRUSTED_SECONDS
        try:
            stated = self._log.admit(renewal.statement, renewal.head)
        except ForgedError as error:
            self.last_error = error.code
            return _UNTRUSTED_SECONDS
        await self._partition(stated.partitioning, stated.epoch)  # before any lease that the statement grants
        self._applier.observe(renewal.head)
        self._lease.note(_as_stated(renewal, stated), asked_at=asked_at, reported=reported)
        self.joined.set()
        return await self._keep_up(renewal.head)

    async def leave(self) -> None:
        """Give up the lease and report it. Call it after the last answer."""
        self._lease.void()
        try:
            async with asyncio.timeout(_LEAVE_SECONDS):
                await self._channel.leave()
        except (KeyturnError, TimeoutError) as error:
            # The record expires by itself; until then waits count this node.
            _log.warning("leave_failed", error=repr(error))

    async def _renew(self) -> float:
        await wait_for_event(self._wanted, self._pause)
        self._pause = 0.0
        self._pause = await self.round()
        return 0.0

    async def _keep_up(self, head: Position) -> float:
        position = self._applier.position
        if head <= position:
            return self._renewal_seconds
        now = self._elapsed()
        if position != self._stuck_at:
            self._stuck_at, self._stuck_since = position, now
        elif now - self._stuck_since >= BEHIND_SECONDS:
            self._metrics.catch_ups.inc()
            await self._events.catch_up(self._applier, head)
            _log.info("caught_up", since=position.stream_id, to=self._applier.position.stream_id)
            return 0.0
        return BEHIND_SECONDS

    def _note_failure(self, error: Exception) -> None:
        self.last_error = error.code if isinstance(error, KeyturnError) else type(error).__name__
        self._metrics.renewals.labels(RENEWAL_FAILED).inc()


def _as_stated(renewal: Renewal, stated: HeadStatement) -> Renewal:
    """Replace what anyone could have written in the renewal by the signed statement."""
    age = max(0.0, (renewal.now - stated.at) / 1000)
    return replace(renewal, stamp_age=age, stated_sequence=stated.sequence)
