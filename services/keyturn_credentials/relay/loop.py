"""The relay's loop: woken by commits, inspects once a second, and backs off after failures."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeVar

import structlog

from keyturn_credentials.relay.metrics import RelayMetrics
from keyturn_credentials.relay.partitions import Partitions
from keyturn_credentials.relay.relay import Relay
from keyturn_shared.runtime.backoff import Backoff
from keyturn_shared.runtime.supervised_task import SupervisedTask
from keyturn_shared.tasks import end_tasks, wait_for_event

INSPECT_SECONDS: Final = 1.0
ROUND_SECONDS: Final = 30.0
_CLOSE_SECONDS: Final = 3.0
_STOP_SECONDS: Final = 5.0
_BACKOFF: Final = Backoff(longest=0.4)
"""Short even at its longest: after a failover, signed assertions are refused until the relay has opened an
epoch."""

T = TypeVar("T")

_log = structlog.get_logger(__name__)


class RelayLoop:
    """Runs a relay until stopped. ``wake`` is called after every commit, from the event loop's thread."""

    def __init__(
        self,
        relay: Relay,
        metrics: RelayMetrics,
        partitions: Partitions,
        *,
        elapsed: Callable[[], float],
        poll_seconds: float = 0.2,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._relay = relay
        self._metrics = metrics
        self._partitions = partitions
        self._poll_seconds = poll_seconds
        self._elapsed = elapsed
        self._woken = asyncio.Event()
        self._leads: bool | None = None
        self.task: Final = SupervisedTask(
            "relay",
            self._round,
            backoff=_BACKOFF,
            failed=self._note_failure,
            elapsed=elapsed,
            sleep=sleep,
            jitter=jitter,
        )
        self.last_error: str | None = None
        """Error of the newest round, for readiness; None if it succeeded."""

    def wake(self, sequence: int) -> None:
        """Signal that the event with this sequence was committed."""
        self._metrics.committed.set(sequence)
        self._woken.set()

    async def start(self) -> None:
        await self.task.start()

    async def stop(self) -> None:
        """Stop, and shut the fleet down cleanly if no node holds a lease."""
        await self._partitions.stop()
        await self.task.stop()
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                closed = await self._relay.close()
            _log.info("relay_stopped", closed_in_good_order=closed)
        except Exception as error:  # noqa: BLE001 - a failed shutdown costs only an epoch at the next start
            _log.warning("relay_stopped_uncleanly", error=repr(error))

    async def stop_in_time(self) -> None:
        """Stop, with a time limit: the next relay copes with whatever this one leaves."""
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self.stop()
        except TimeoutError:
            _log.warning("relay_did_not_stop_in_time", seconds=_STOP_SECONDS)

    async def _round(self) -> float:
        leads, self._leads = self._leads, None
        # Filling Redis from a large database takes longer than a round of publishing may.
        relaying = await self._leading(self._relay.inspect(leads=leads))
        self.last_error = None
        await self._partitions.follow()
        if not relaying:
            return INSPECT_SECONDS
        self._leads = await self._publish_until_next_inspection()
        return 0.0

    def _note_failure(self, error: Exception) -> None:
        self.last_error = str(error) or type(error).__name__
        self._metrics.failures.labels(type(error).__name__).inc()

    async def _publish_until_next_inspection(self) -> bool | None:
        """Publish what is committed, then renew the right to relay while publishing goes on, since renewal
        waits for the disk. Return whether it was renewed; None if something else must be repaired."""
        due = self._elapsed() + INSPECT_SECONDS
        renewal: asyncio.Task[bool] | None = None
        try:
            while self._relay.settled:
                if not self._relay.leads:
                    return None  # renewing takes too long: another instance may have begun to relay
                left = due - self._elapsed()
                if renewal is None and left <= 0:
                    renewal = asyncio.create_task(self._relay.lead(), name="relay-lease")
                    renewal.add_done_callback(lambda _: self._woken.set())
                if renewal is not None and renewal.done():
                    return renewal.result()
                pause = self._poll_seconds if left <= 0 else min(left, self._poll_seconds)
                await wait_for_event(self._woken, pause)
                self._woken.clear()
                async with asyncio.timeout(ROUND_SECONDS):
                    await self._leading(self._publish())
            return None
        finally:
            await end_tasks(renewal)

    async def _leading(self, work: Coroutine[Any, Any, T]) -> T:
        """Run the work, and renew the right to relay meanwhile. An unavailable Redis is noticed by a time
        limit longer than that right lasts; a relay that lets it expire must forget the claimants."""
        working = asyncio.create_task(work, name="relay-work")
        try:
            while not (await asyncio.wait({working}, timeout=INSPECT_SECONDS))[0]:
                await self._relay.lead()
            return working.result()
        finally:
            await end_tasks(working)

    async def _publish(self) -> None:
        await self._relay.publish_new()
        await self._relay.keep_claimants()
