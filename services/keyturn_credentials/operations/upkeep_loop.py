"""Runs the upkeep as long as the service runs."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from keyturn_credentials.operations.retention import Retention
from keyturn_credentials.operations.upkeep import Upkeep
from keyturn_shared.tasks import Background

_log = structlog.get_logger(__name__)


class UpkeepLoop(Background):
    """Realm keys are looked at every ``seconds``; seals once after the start, as the keys of the rings are
    settings, so they change with a restart; and the blocks of names once after the start, as the build before
    may have run until then."""

    def __init__(
        self,
        upkeep: Upkeep,
        retention: Retention,
        metrics: CollectorRegistry,
        *,
        seconds: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__("upkeep")
        self._upkeep = upkeep
        self._retention = retention
        self._seconds = seconds
        self._sleep = sleep
        self._rounds = Counter(
            "keyturn_upkeep_rounds", "Rounds of upkeep that were done to their end", registry=metrics
        )
        self._failures = Counter(
            "keyturn_upkeep_failures", "Rounds of upkeep that failed, by cause", ["cause"], registry=metrics
        )
        self._rotations = Counter(
            "keyturn_realm_key_rotations", "Automatic rotations of realm keys", registry=metrics
        )
        self._seals_current = Gauge(
            "keyturn_seals_current",
            "1 when everything was found sealed under the first keys of the rings, or was sealed anew",
            registry=metrics,
        )
        self._forgotten = Counter(
            "keyturn_log_entries_forgotten",
            "What was kept as long as it is to be, of the logs events and audit",
            ["log"],
            registry=metrics,
        )
        self._sealed = False
        self._named = False

    async def _run(self) -> None:
        while True:
            try:
                await self._round()
                self._rounds.inc()
            except Exception as error:  # noqa: BLE001 - whatever went wrong, the loop must come again
                self._failures.labels(type(error).__name__).inc()
                _log.warning("upkeep_failed", error=repr(error))
            await self._sleep(self._seconds)

    async def _round(self) -> None:
        self._rotations.inc(await self._upkeep.rotate_due_keys())
        if forgotten := await self._upkeep.forget_secrets():
            _log.info("secrets_forgotten", clients=forgotten)
        if not self._sealed:
            renewed = await self._upkeep.renew_seals()
            self._sealed = True
            self._seals_current.set(1)
            if renewed:
                _log.info("seals_renewed", count=renewed)
        self._forgotten.labels("events").inc(await self._retention.forget_events())
        self._forgotten.labels("audit").inc(await self._retention.forget_audit())
        if not self._named:
            settled = await self._upkeep.settle_names()
            self._named = True
            if settled:
                _log.info("name_blocks_made_anew", count=settled)
