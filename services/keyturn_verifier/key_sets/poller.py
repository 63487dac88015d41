"""The background fetcher: polls what is due, as long as it runs."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Final

import structlog

from keyturn_shared.tasks import end_tasks
from keyturn_verifier.key_sets.channel import Claim, KeySetChannel, Queue
from keyturn_verifier.key_sets.fetcher import KeySetFetcher
from keyturn_verifier.key_sets.metrics import KeySetMetrics
from keyturn_verifier.key_sets.policy import KeySetPolicy

_CLAIMED_AT_ONCE: Final = 32
_LONGEST_PAUSE_SECONDS: Final = 0.5
_SHORTEST_PAUSE_SECONDS: Final = 0.1
"""Polls are minutes apart, so they may be this late, and what is due is claimed in bundles. Requests that
wait for keys do not come through here."""
_BACKOFF_SECONDS: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
_DEPTH_SECONDS: Final = 5.0

_log = structlog.get_logger(__name__)


class KeySetPoller:
    """Any number run at once, in nodes or in processes of their own; each key set is claimed by one.

    Key sets that fail have a lane of their own: however many hang, those in good order do not wait for them.
    """

    def __init__(
        self,
        channel: KeySetChannel,
        fetcher: KeySetFetcher,
        policy: KeySetPolicy,
        metrics: KeySetMetrics,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._channel = channel
        self._metrics = metrics
        self._lanes = (
            _Lane(Queue.DUE, policy.concurrency, channel, fetcher, metrics, draw),
            _Lane(Queue.RETRIES, policy.retry_concurrency, channel, fetcher, metrics, draw),
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(lane.run(), name=f"key-sets-{lane.queue}") for lane in self._lanes]
        self._tasks.append(asyncio.create_task(self._measure(), name="key-sets-depth"))

    async def stop(self) -> None:
        """Claim nothing more and drop what is under way; others take it over when the claims run out."""
        await end_tasks(*self._tasks)
        self._tasks = []
        for lane in self._lanes:
            await lane.abandon()

    async def _measure(self) -> None:
        while True:
            try:
                for queue, depth in (await self._channel.depth()).items():
                    self._metrics.queued.labels(queue.value).set(depth.queued)
                    self._metrics.overdue_seconds.labels(queue.value).set(depth.late_seconds)
            except Exception as error:  # noqa: BLE001 - measuring must not end
                self._metrics.loop_failures.labels("depth").inc()
                _log.warning("key_set_loop_failed", loop="depth", error=repr(error))
            await asyncio.sleep(_DEPTH_SECONDS)


class _Lane:
    """One queue and the attempts at it that are under way."""

    def __init__(
        self,
        queue: Queue,
        limit: int,
        channel: KeySetChannel,
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

    async def run(self) -> None:
        failures = 0
        while True:
            try:
                pause = await self._round()
                failures = 0
            except Exception as error:  # noqa: BLE001 - whatever went wrong, the loop must come again
                self._metrics.loop_failures.labels(self.queue.value).inc()
                _log.warning("key_set_loop_failed", loop=self.queue.value, error=repr(error))
                pause = _BACKOFF_SECONDS[min(failures, len(_BACKOFF_SECONDS) - 1)] * (0.5 + self._draw())
                failures += 1
            if pause > 0:
                await asyncio.sleep(pause)

    async def abandon(self) -> None:
        await end_tasks(*self._under_way)

    async def _round(self) -> float:
        """Claim as much as there is room for. Seconds to pause."""
        if len(self._under_way) >= self._limit:
            self._ended.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LONGEST_PAUSE_SECONDS):
                    await self._ended.wait()
            return 0.0
        room = min(self._limit - len(self._under_way), _CLAIMED_AT_ONCE)
        due = await self._channel.claim(self.queue, room, self._draw())
        for claim in due.claims:
            self._metrics.late_seconds.labels(self.queue.value).observe(max(0.0, claim.late_seconds))
            task = asyncio.create_task(self._attempt(claim))
            self._under_way.add(task)
            task.add_done_callback(self._landed)
        self._metrics.in_flight.labels(self.queue.value).set(len(self._under_way))
        if len(due.claims) >= room:
            return 0.0
        pause = _LONGEST_PAUSE_SECONDS if due.pause is None else min(due.pause, _LONGEST_PAUSE_SECONDS)
        return max(pause, _SHORTEST_PAUSE_SECONDS)

    async def _attempt(self, claim: Claim) -> None:
        try:
            await self._fetcher.run(claim)
        except Exception as error:  # noqa: BLE001 - the claim runs out and the key set is due again
            self._metrics.loop_failures.labels("attempt").inc()
            _log.warning("key_set_attempt_lost", key_set=claim.id, error=repr(error))

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._ended.set()
