"""Retention of the event log, the audit log and ended sign-ins."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from keyturn_credentials.store.audit_chain import AuditChain
from keyturn_credentials.store.ended_sign_ins import forget_ended
from keyturn_credentials.store.retention import forget_events
from keyturn_credentials.store.unit_of_work import SYSTEM, Store, UnitOfWork
from keyturn_shared.clock import Clock

_BATCH: Final = 500
_DAY: Final = 86_400.0


class Retention:
    """Retention in days; None: forever. Several instances may run it at once, at any time, and repeatedly."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        chain: AuditChain,
        *,
        event_days: float | None,
        audit_days: float | None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._clock = clock
        self._chain = chain
        self._event_days = event_days
        self._audit_days = audit_days
        self._sleep = sleep

    async def forget_events(self) -> int:
        """Delete old events. Return their number. Raises StoreUnavailableError."""
        return await self._forget(forget_events, self._event_days)

    async def forget_audit(self) -> int:
        """Delete old audit entries of the chain. Return their number. Raises StoreUnavailableError, and
        ChainBrokenError if they are not what was added to it."""
        return await self._forget(self._forget_chained, self._audit_days)

    async def _forget_chained(self, transaction: UnitOfWork, before: float, most: int) -> int:
        return await self._chain.forget(transaction.connection, transaction.now, before, most)

    async def forget_sign_ins(self) -> int:
        """Delete ended sign-ins that nothing could use any more. Return their number. Raises
        StoreUnavailableError."""
        return await self._forget(forget_ended, 0.0)

    async def _forget(
        self, forget: Callable[[UnitOfWork, float, int], Awaitable[int]], days: float | None
    ) -> int:
        """Delete batch by batch, with a pause after each for as long as it took, to let others write."""
        forgotten = 0
        while days is not None:
            begun = self._clock.elapsed()
            async with self._store.change(SYSTEM) as transaction:
                count = await forget(transaction, transaction.now - days * _DAY, _BATCH)
            forgotten += count
            if count < _BATCH:
                break
            await self._sleep(self._clock.elapsed() - begun)
        return forgotten
