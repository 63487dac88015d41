"""Waits of changes are counted by how they end."""

import pytest
from prometheus_client import CollectorRegistry

from keyturn_credentials.web.measured_waits import MeasuredWaiter
from keyturn_shared.fleet.registry import UNKNOWN, FleetSummary


class _Waiter:
    """Returns this summary after half a second."""

    def __init__(self, summary: FleetSummary) -> None:
        self.now = 0.0
        self._summary = summary

    async def wait(self, sequence: int, timeout: float) -> FleetSummary:
        self.now += 0.5
        return self._summary

    wait_while_likely = wait


@pytest.mark.parametrize(
    ("summary", "outcome"),
    [
        (FleetSummary(applied=2, fenced=1, pending=()), "applied"),
        (FleetSummary(applied=2, fenced=0, pending=("node-a",)), "pending"),
        (UNKNOWN, "unknown"),
    ],
)
@pytest.mark.parametrize("method", ["wait", "wait_while_likely"])
async def test_a_wait_counts_with_its_outcome_and_duration(
    summary: FleetSummary, outcome: str, method: str
) -> None:
    registry, waiter = CollectorRegistry(), _Waiter(summary)
    measured = MeasuredWaiter(waiter, registry, elapsed=lambda: waiter.now)
    assert await getattr(measured, method)(7, 1.0) is summary
    counts = {
        each: registry.get_sample_value("keyturn_fleet_wait_seconds_count", {"outcome": each})
        for each in ("applied", "pending", "unknown")
    }
    assert counts == {"applied": 0, "pending": 0, "unknown": 0} | {outcome: 1}
    assert registry.get_sample_value("keyturn_fleet_wait_seconds_sum", {"outcome": outcome}) == 0.5
