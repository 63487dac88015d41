"""The background fetcher: polls due key sets while it runs."""

import asyncio
import random
from collections.abc import Callable
from typing import Final

import structlog

from keyturn_shared.clock import Clock
from keyturn_shared.tasks import end_tasks, wait_for_event
from keyturn_verifier.key_sets.fetcher import KeySetFetcher
from keyturn_verifier.key_sets.metrics import KeySetMetrics
from keyturn_verifier.key_sets.policy import KeySetPolicy
from keyturn_verifier.key_sets.redis_repository import FetchLease, KeySetRepository, Queue
from keyturn_verifier.key_sets.tasks import key_set_task

_CLAIMED_AT_ONCE: Final = 32
_MAX_PAUSE_SECONDS: Final = 0.5
_SHORTEST_PAUSE_SECONDS: Final = 0.1
"""Polls are minutes apart, so they may be this late; due key sets are leased in batches. Requests that wait
for keys do not take this path."""
_DEPTH_SECONDS: Final = 5.0

_log = structlog.get_logger(__name__)


class KeySetPoller:
    """Polls key sets. Any number run at once, in nodes or in separate processes; one of them leases each set.
    Failing key sets have a lane of their own: however many hang, the others do not wait for them."""

    def __init__(
        self,
        channel: KeySetRepository,
        fetcher: KeySetFetcher,
        policy: KeySetPolicy,
        clock: Clock,
        metrics: KeySetMetrics,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._channel = channel
        self._metrics = metrics
        self._lanes = (
            _Lane(Queue.DUE, policy.concurrency, channel, fetcher, metrics, draw),
            _Lane(Queue.RETRIES, policy.retry_concurrency, channel, fetcher, metrics, draw),
        )
        rounds = {lane.queue.value: lane.round for lane in self._lanes} | {"depth": self._measure}
        self.tasks: Final = [key_set_task(name, work, clock, metrics) for name, work in rounds.items()]

    async def abandon(self) -> None:
        """Cancel what is in progress."""
        for lane in self._lanes:
            await lane.abandon()

    async def _measure(self) -> float:
        for queue, depth in (await self._channel.depth()).items():
            self._metrics.queued.labels(queue.value).set(depth.queued)
            self._metrics.overdue_seconds.labels(queue.value).set(depth.late_seconds)
        return _DEPTH_SECONDS


class _Lane:
    """One queue and its attempts in progress."""

    def __init__(
        self,
        queue: Queue,
        limit: int,
        channel: KeySetRepository,
        fetcher: KeySetFetcher,
        metrics: KeySetMetrics,
        draw: Callable[[], float],
    ) -> None:
        self.queue = queue
        self._limit = limit
        self._channel = channel
        self._fetcher = fetcher
        self._metrics = metrics
        self._draw = draw
        self._under_way: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()

    async def abandon(self) -> None:
        await end_tasks(*self._under_way)

    async def round(self) -> float:
        """Lease as many key sets as there is room for. Return the seconds to pause."""
        if len(self._under_way) >= self._limit:
            self._ended.clear()
            await wait_for_event(self._ended, _MAX_PAUSE_SECONDS)
            return 0.0
        room = min(self._limit - len(self._under_way), _CLAIMED_AT_ONCE)
        due = await self._channel.lease(self.queue, room, self._draw())
        for lease in due.leases:
            self._metrics.late_seconds.labels(self.queue.value).observe(max(0.0, lease.late_seconds))
            task = asyncio.create_task(self._attempt(lease))
            self._under_way.add(task)
            task.add_done_callback(self._landed)
        self._metrics.in_flight.labels(self.queue.value).set(len(self._under_way))
        if len(due.leases) >= room:
            return 0.0
        pause = _MAX_PAUSE_SECONDS if due.pause is None else min(due.pause, _MAX_PAUSE_SECONDS)
        return max(pause, _SHORTEST_PAUSE_SECONDS)

    async def _attempt(self, lease: FetchLease) -> None:
        try:
            await self._fetcher.run(lease)
        except Exception as error:  # noqa: BLE001 - the lease runs out and the key set is due again
            self._metrics.loop_failures.labels("attempt").inc()
            _log.warning("key_set_attempt_lost", key_set=lease.id, error=repr(error))

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._ended.set()
