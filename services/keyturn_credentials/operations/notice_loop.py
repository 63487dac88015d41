"""Runs the notices while the service runs."""

from collections.abc import Awaitable, Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from keyturn_credentials.domain.notice_kinds import KINDS
from keyturn_credentials.operations.notice_sender import AT_ONCE, NoticeSender, Result
from keyturn_credentials.operations.notice_sweep import NoticeSweep
from keyturn_credentials.store.leases import Lease
from keyturn_credentials.store.notice_deliveries import NoticeDeliveries
from keyturn_credentials.store.unit_of_work import Store
from keyturn_shared.clock import Clock
from keyturn_shared.runtime.backoff import Backoff
from keyturn_shared.runtime.supervised_task import SupervisedTask

_SHARE: Final = 4
"""A pause between two pages is so many times as long as a page took: callers come first."""
_TURN_SECONDS: Final = 5.0
_SEND_SECONDS: Final = 1.0
_COUNT_SECONDS: Final = 15.0
_BACKOFF: Final = Backoff(first=1.0, longest=30.0)


class NoticeLoop:
    """Two tasks, each done by one instance at a time: one sweeps every ``seconds``, the other sends webhooks.
    ``sender``: None without a receiver."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        sweep: NoticeSweep,
        sender: NoticeSender | None,
        metrics: CollectorRegistry,
        *,
        seconds: float,
        holder: str,
    ) -> None:
        self._store = store
        self._clock = clock
        self._sweep = sweep
        self._sender = sender
        self._seconds = seconds
        self._sweeping = Lease(store.database, clock, "notices", holder)
        self._sending = Lease(store.database, clock, "notice-deliveries", holder)
        self._count_at = 0.0
        self._open = Gauge("keyturn_notices", "Open notices, by code", ["code"], registry=metrics)
        for code in KINDS:
            self._open.labels(code)
        self._results = Counter(
            "keyturn_notice_deliveries",
            "Attempts of this process to send a webhook about a notice, by result",
            ["result"],
            registry=metrics,
        )
        for result in Result:
            self._results.labels(result.value)
        self._oldest = Gauge(
            "keyturn_notice_delivery_age_seconds",
            "Age of the oldest webhook about a notice that the receiver has not taken, 0 without one",
            registry=metrics,
        )
        self.tasks: Final = (
            self._task("notices", self._sweep_once),
            self._task("notice-deliveries", self._send_once),
        )

    def _task(self, name: str, work: Callable[[], Awaitable[float]]) -> SupervisedTask:
        return SupervisedTask(name, work, elapsed=self._clock.elapsed, backoff=_BACKOFF)

    async def _sweep_once(self) -> float:
        """Sweep the next page, if it is this instance's turn. Return the seconds until the next one."""
        await self._count()
        if not await self._sweeping.acquire():
            return min(_TURN_SECONDS, self._seconds)
        begun = self._clock.elapsed()
        if await self._sweep.step():
            return self._seconds
        return _SHARE * (self._clock.elapsed() - begun)

    async def _send_once(self) -> float:
        """Send what is due, if it is this instance's turn. Return the seconds until the next look."""
        if self._sender is None or not await self._sending.acquire():
            return _TURN_SECONDS
        results = await self._sender.send_due()
        for result in results:
            self._results.labels(result.value).inc()
        return 0.0 if len(results) >= AT_ONCE else _SEND_SECONDS

    async def _count(self) -> None:
        if self._clock.elapsed() < self._count_at:
            return
        async with self._store.read() as reading:
            counts = await reading.notices.count()
            # Without a receiver nobody waits for what is left of a former one.
            oldest = await NoticeDeliveries(reading.connection).oldest() if self._sender else None
        for code in KINDS:
            self._open.labels(code).set(counts.get(code, 0))
        self._oldest.set(0.0 if oldest is None else max(0.0, self._clock.now() - oldest))
        self._count_at = self._clock.elapsed() + min(_COUNT_SECONDS, self._seconds)
