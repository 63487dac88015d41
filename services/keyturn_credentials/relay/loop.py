"""The relay's endless loop: woken by commits, inspecting once a second, backing off from failures."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from keyturn_credentials.relay.metrics import RelayMetrics
from keyturn_credentials.relay.relay import Relay
from keyturn_shared.tasks import end_tasks

INSPECT_SECONDS: Final = 1.0
ROUND_SECONDS: Final = 30.0
_CLOSE_SECONDS: Final = 3.0
_BACKOFF_SECONDS: Final = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)

_log = structlog.get_logger(__name__)


class RelayLoop:
    """Runs a relay until stopped. ``wake`` is called after every commit, from the event loop's thread."""

    def __init__(
        self,
        relay: Relay,
        metrics: RelayMetrics,
        *,
        poll_seconds: float = 0.2,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._relay = relay
        self._metrics = metrics
        self._poll_seconds = poll_seconds
        self._sleep = sleep
        self._jitter = jitter
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Something was committed."""
        self._woken.set()

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="relay")

    async def stop(self) -> None:
        """Stop, and close the fleet in good order when no node holds a lease any more."""
        if self._task is None:
            return
        await end_tasks(self._task)
        self._task = None
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                closed = await self._relay.close()
            _log.info("relay_stopped", closed_in_good_order=closed)
        except Exception as error:  # noqa: BLE001 - a failed goodbye costs only an epoch at the next start
            _log.warning("relay_stopped_uncleanly", error=repr(error))

    async def _run(self) -> None:
        failures = 0
        leads: bool | None = None
        while True:
            try:
                # A filling of a large database takes longer than a round of publishing may.
                relaying = await self._relay.inspect(leads=leads)
                failures, leads = 0, None
                if relaying:
                    leads = await self._publish_until_next_inspection()
                else:
                    await self._sleep(INSPECT_SECONDS)
            except Exception as error:  # noqa: BLE001 - whatever went wrong, the loop must come again
                leads = None
                self._metrics.failures.labels(type(error).__name__).inc()
                _log.warning("relay_round_failed", error=repr(error))
                delay = _BACKOFF_SECONDS[min(failures, len(_BACKOFF_SECONDS) - 1)]
                failures += 1
                await self._sleep(delay * (0.5 + self._jitter() / 2))

    async def _publish_until_next_inspection(self) -> bool | None:
        """Publish what is committed, and at the end renew the right to relay. That waits for the disk, so
        publishing goes on meanwhile. Whether it was renewed; None when something else has to be mended."""
        due = asyncio.get_running_loop().time() + INSPECT_SECONDS
        renewal: asyncio.Task[bool] | None = None
        try:
            while self._relay.settled:
                if not self._relay.leads:
                    return None  # renewing takes too long: another instance may have begun to relay
                left = due - asyncio.get_running_loop().time()
                if renewal is None and left <= 0:
                    renewal = asyncio.create_task(self._relay.lead(), name="relay-lease")
                    renewal.add_done_callback(lambda _: self._woken.set())
                if renewal is not None and renewal.done():
                    return renewal.result()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(
                        self._poll_seconds if left <= 0 else min(left, self._poll_seconds)
                    ):
                        await self._woken.wait()
                self._woken.clear()
                async with asyncio.timeout(ROUND_SECONDS):
                    await self._relay.publish_new()
            return None
        finally:
            await end_tasks(renewal)
