"""Waits for the fleet as spans."""

from collections.abc import Awaitable
from typing import Final, Protocol

from keyturn_shared.fleet.registry import UNACCOUNTED, FleetSummary
from keyturn_shared.tracing.ports import Attributes, Kind, Tracer

_NAME: Final = "wait for the fleet"


class Waiter(Protocol):
    """Waits as ``FleetWaiter``."""

    async def wait(self, sequence: int, timeout: float) -> FleetSummary: ...

    async def wait_while_likely(self, sequence: int, timeout: float) -> FleetSummary: ...


class TracedWaiter:
    """A waiter whose waits are spans with the answer of the fleet, inside a call that is traced."""

    def __init__(self, waiter: Waiter, tracer: Tracer) -> None:
        self._waiter = waiter
        self._tracer = tracer

    async def wait(self, sequence: int, timeout: float) -> FleetSummary:
        """Wait as ``FleetWaiter.wait``."""
        return await self._traced(self._waiter.wait(sequence, timeout), sequence)

    async def wait_while_likely(self, sequence: int, timeout: float) -> FleetSummary:
        """Wait as ``FleetWaiter.wait_while_likely``."""
        return await self._traced(self._waiter.wait_while_likely(sequence, timeout), sequence)

    async def _traced(self, wait: Awaitable[FleetSummary], sequence: int) -> FleetSummary:
        if not self._tracer.has_current():
            return await wait
        span = self._tracer.begin(_NAME, Kind.INTERNAL, {"keyturn.sequence": sequence})
        try:
            summary = await wait
            span.note(_answer(summary))
            return summary
        except BaseException as error:
            span.fail(type(error).__name__)
            raise
        finally:
            span.end()


def _answer(summary: FleetSummary) -> Attributes:
    """Return the answer of the fleet: with numbers only if they mean something."""
    if not summary.known:
        return {"keyturn.fleet.outcome": "unknown"}
    return {
        "keyturn.fleet.outcome": "applied" if summary.safe else "pending",
        "keyturn.fleet.nodes": summary.nodes,
        "keyturn.fleet.applied": summary.applied,
        "keyturn.fleet.fenced": summary.fenced,
        "keyturn.fleet.pending": len(set(summary.pending) - {UNACCOUNTED}),
    }
