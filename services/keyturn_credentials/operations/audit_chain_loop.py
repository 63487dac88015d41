"""Adds audit entries to their chain while the service runs."""

import os
import socket
import uuid
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from keyturn_credentials.domain.audit_chain.entries import Standing
from keyturn_credentials.domain.audit_chain.errors import ChainBrokenError
from keyturn_credentials.domain.audit_chain.statements import Head
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.audit_chain import RENEWAL_SECONDS, AuditChain, Extended
from keyturn_credentials.store.errors import map_driver_errors
from keyturn_credentials.store.leases import Lease
from keyturn_credentials.store.unit_of_work import Store
from keyturn_shared.clock import Clock
from keyturn_shared.runtime.backoff import Backoff
from keyturn_shared.runtime.supervised_task import SupervisedTask

BATCH: Final = 100
PAUSE_SECONDS: Final = 1.0
LAG_SECONDS: Final = 300.0
"""An instance is degraded when entries have waited for so long."""
_TURN_SECONDS: Final = 5.0
_BACKOFF: Final = Backoff(first=1.0, longest=30.0)

_log = structlog.get_logger(__name__)


class AuditChainLoop:
    """One instance at a time adds entries, at most ``BATCH`` in a transaction; two that do it at once wait
    for each other. It remembers the newest head, and so notices when the log is cut off while it runs."""

    def __init__(self, store: Store, chain: AuditChain, clock: Clock, metrics: CollectorRegistry) -> None:
        self._store = store
        self._chain = chain
        self._clock = clock
        holder = f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid.uuid4()}"
        self._lease = Lease(store.database, clock, "audit-chain", holder)
        self._known: Head | None = None
        self._complete = clock.elapsed()
        self._logged: float | None = None
        self._broken: str | None = None
        self.task: Final = SupervisedTask("audit-chain", self.step, elapsed=clock.elapsed, backoff=_BACKOFF)
        self._number = Gauge(
            "keyturn_audit_chain_number",
            "Number of the newest entry in the audit log's chain",
            registry=metrics,
        )
        self._is_broken = Gauge(
            "keyturn_audit_chain_broken",
            "1 if the audit log is not what the service signed",
            registry=metrics,
        )
        Gauge(
            "keyturn_audit_unchained_seconds",
            "Seconds since every audit entry was in the chain, as far as this process knows",
            registry=metrics,
        ).set_function(self._lag)
        self._added = Counter(
            "keyturn_audit_entries_chained",
            "Audit entries that this process added to the chain, by what is known of their origin",
            ["standing"],
            registry=metrics,
        )
        for standing in Standing:
            self._added.labels(standing.name.lower())

    def degraded(self) -> dict[str, str]:
        """Return why the chain does not grow as it should, by part; empty if it does."""
        if self._broken is not None:
            return {"audit": f"{self._broken}: run keyturn audit verify"}
        if self._lag() > LAG_SECONDS:
            cause = self.task.last_error
            text = f"audit entries have waited for {self._lag():.0f} s to be added to the chain"
            return {"audit": text if cause is None else f"{text} (last error on this instance: {cause})"}
        return {}

    async def step(self) -> float:
        """Add the next entries, if it is this instance's turn. Return the seconds until the next look. Raises
        ChainBrokenError, StoreUnavailableError."""
        try:
            pause = await self._step()
        except ChainBrokenError as error:
            if self._broken is None:
                _log.error("audit_chain_broken", told=error.detail)
            self._broken = error.detail
            self._is_broken.set(1)
            raise
        self._broken = None
        self._is_broken.set(0)
        return pause

    async def _step(self) -> float:
        now = self._clock.now()
        async with self._store.find() as reading:
            chain = await self._chain.read(reading.connection)
            await self._chain.require_known(reading.connection, chain.base, chain.head, self._known)
            is_complete = await self._chain.is_complete(reading.connection)
        if chain.head is not None:
            self._see(chain.head)
            # With many writers something waits at every look, while another instance keeps up.
            behind = 0.0 if is_complete else max(0.0, now - chain.head.complete_at)
            self._complete = max(self._complete, self._clock.elapsed() - behind)
        if is_complete and not chain.is_due(now):
            return PAUSE_SECONDS
        if not await self._lease.acquire():
            return _TURN_SECONDS
        begun = self._clock.elapsed()
        with map_driver_errors():
            async with self._store.database.writing() as connection:
                extended = await self._chain.extend(connection, now, BATCH, self._known)
        self._see(extended.head)
        self._tell(extended)
        if not extended.is_complete:
            return self._clock.elapsed() - begun
        self._complete = max(self._complete, begun)
        return PAUSE_SECONDS

    def _see(self, head: Head) -> None:
        self._known = head
        self._number.set(head.number)

    def _tell(self, extended: Extended) -> None:
        for standing, count in extended.added.items():
            self._added.labels(standing.name.lower()).inc(count)
        for entry, standing in extended.suspects.items():
            _log.error("audit_entry_suspect", entry=entry, standing=standing.name.lower())
        now = self._clock.elapsed()
        if self._logged is None or now - self._logged >= RENEWAL_SECONDS:
            _log.info("audit_head", head=self._chain.line(extended.head))
            self._logged = now

    def _lag(self) -> float:
        return self._clock.elapsed() - self._complete


def build_audit_chain(
    store: Store, clock: Clock, metrics: CollectorRegistry, settings: CredentialsSettings
) -> AuditChainLoop:
    return AuditChainLoop(store, AuditChain(store.encryption, settings.audit_keys()), clock, metrics)
