"""Runs the maintenance while the service runs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from keyturn_credentials.domain.audit_chain.errors import ChainBrokenError
from keyturn_credentials.operations.maintenance import Maintenance
from keyturn_credentials.operations.reprojection import Reprojection
from keyturn_credentials.operations.retention import Retention
from keyturn_shared.runtime.backoff import Backoff
from keyturn_shared.runtime.supervised_task import SupervisedTask

_ROUNDS_BETWEEN_COUNTS: Final = 60
"""A count scans every client whose secret is stored as a digest only."""

_log = structlog.get_logger(__name__)


class MaintenanceLoop:
    """Checks realm keys every ``seconds``. Re-encryption runs once after the start, because the rings are
    settings and change only with a restart; so do reprojection and the page index, because an earlier build
    may have run until then."""

    def __init__(
        self,
        maintenance: Maintenance,
        retention: Retention,
        reprojection: Reprojection,
        metrics: CollectorRegistry,
        *,
        seconds: float,
        elapsed: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._maintenance = maintenance
        self._retention = retention
        self._reprojection = reprojection
        self._seconds = seconds
        self.task: Final = SupervisedTask(
            "upkeep",
            self._round,
            elapsed=elapsed,
            backoff=Backoff(first=seconds, longest=seconds),
            sleep=sleep,
        )
        self._rounds = Counter(
            "keyturn_upkeep_rounds", "Rounds of maintenance that completed", registry=metrics
        )
        self._rotations = Counter(
            "keyturn_realm_key_rotations", "Automatic rotations of realm keys", registry=metrics
        )
        self._seals_current = Gauge(
            "keyturn_seals_current",
            "1 when everything is sealed under the first keys of the rings",
            registry=metrics,
        )
        self._digests = Gauge(
            "keyturn_digests_of_fleet_keys",
            "Clients whose secret digests cannot be checked by nodes with realm keys",
            registry=metrics,
        )
        self._forgotten = Counter(
            "keyturn_log_entries_forgotten",
            "Entries of the events and audit logs deleted after their retention period",
            ["log"],
            registry=metrics,
        )
        self._reprojected = False
        self._sealed = False
        self._rounds_until_count = 0
        self._named = False

    async def _round(self) -> float:
        self._rotations.inc(await self._maintenance.rotate_due_keys())
        if not self._reprojected:
            projections = await self._reprojection.run()
            self._reprojected = True
            if projections:
                _log.info("nodes_told_anew", projections=projections)
        if forgotten := await self._maintenance.forget_secrets():
            _log.info("secrets_forgotten", clients=forgotten)
        if not self._sealed:
            renewed = await self._maintenance.renew_seals()
            self._sealed = True
            self._seals_current.set(1)
            if renewed:
                _log.info("seals_renewed", count=renewed)
        if self._rounds_until_count == 0:
            self._digests.set(await self._maintenance.count_digests_of_fleet_keys())
            self._rounds_until_count = _ROUNDS_BETWEEN_COUNTS
        self._rounds_until_count -= 1
        self._forgotten.labels("events").inc(await self._retention.forget_events())
        self._forgotten.labels("audit").inc(await self._forget_audit())
        await self._retention.forget_sign_ins()
        if not self._named:
            repaired = await self._maintenance.repair_page_index()
            self._named = True
            if repaired:
                _log.info("page_index_rebuilt", count=repaired)
        self._rounds.inc()
        return self._seconds

    async def _forget_audit(self) -> int:
        """Delete old audit entries, unless they are not what was signed: the rest of the round goes on."""
        try:
            return await self._retention.forget_audit()
        except ChainBrokenError as error:
            _log.error("audit_entries_kept", told=error.detail)
            return 0
