"""Waits of changes for the fleet, counted by outcome."""

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Histogram

from keyturn_credentials.fleet.traced_waiter import TracedWaiter
from keyturn_credentials.web.gate import Waiter
from keyturn_shared.fleet.registry import FleetSummary
from keyturn_shared.tracing.ports import Tracer

_BUCKETS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60)


class MeasuredWaiter:
    """A waiter whose waits are counted. ``applied``: no node accepts what the change ended. ``pending``: the
    time was over before that. ``unknown``: the state of the fleet could not be read. ``exemplar``: the labels
    that name the trace of a wait, if it has one."""

    def __init__(
        self,
        waiter: Waiter,
        registry: CollectorRegistry,
        *,
        elapsed: Callable[[], float],
        exemplar: Callable[[], dict[str, str] | None] = lambda: None,
    ) -> None:
        self._waiter = waiter
        self._elapsed = elapsed
        self._exemplar = exemplar
        seconds = Histogram(
            "keyturn_fleet_wait_seconds",
            "Duration of the waits of changes for the fleet, by outcome",
            ["outcome"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._applied, self._pending, self._unknown = (
            seconds.labels(outcome) for outcome in ("applied", "pending", "unknown")
        )

    async def wait(self, sequence: int, timeout: float) -> FleetSummary:
        """Wait as ``FleetWaiter.wait``."""
        begun = self._elapsed()
        return self._note(await self._waiter.wait(sequence, timeout), begun)

    async def wait_while_likely(self, sequence: int, timeout: float) -> FleetSummary:
        """Wait as ``FleetWaiter.wait_while_likely``."""
        begun = self._elapsed()
        return self._note(await self._waiter.wait_while_likely(sequence, timeout), begun)

    def _note(self, summary: FleetSummary, begun: float) -> FleetSummary:
        known = self._applied if summary.safe else self._pending
        (known if summary.known else self._unknown).observe(self._elapsed() - begun, self._exemplar())
        return summary


def measured_waiter(
    waiter: Waiter, registry: CollectorRegistry, elapsed: Callable[[], float], tracer: Tracer | None
) -> MeasuredWaiter:
    """Return the waiter with its waits counted, and traced if there is a tracer."""
    if tracer is None:
        return MeasuredWaiter(waiter, registry, elapsed=elapsed)
    return MeasuredWaiter(TracedWaiter(waiter, tracer), registry, elapsed=elapsed, exemplar=tracer.exemplar)
