"""Runs the rotations while the service runs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from keyturn_credentials.domain.rotation import State
from keyturn_credentials.domain.rotation_failure import FailureCode
from keyturn_credentials.operations.rotation_runner import BATCH, RotationRunner
from keyturn_shared.runtime.backoff import Backoff
from keyturn_shared.runtime.supervised_task import SupervisedTask

ROUND_SECONDS: Final = 1.0


class RotationLoop:
    """Plans and advances rotations every second, at once again while many are due."""

    def __init__(
        self,
        runner: RotationRunner,
        metrics: CollectorRegistry,
        *,
        elapsed: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._runner = runner
        self.task: Final = SupervisedTask(
            "rotations", self.round, elapsed=elapsed, backoff=Backoff(longest=10.0), sleep=sleep
        )
        self._begun = Counter("keyturn_rotations_begun", "Rotations that a policy began", registry=metrics)
        self._steps = Counter(
            "keyturn_rotation_steps", "Steps of rotations taken by this process", registry=metrics
        )
        self._failed = Counter(
            "keyturn_rotations_failed",
            "Rotations that could not go on, by reason",
            ["reason"],
            registry=metrics,
        )
        for code in FailureCode:
            self._failed.labels(code.value)
        self._open = Gauge(
            "keyturn_rotations_open", "Rotations under way, by state", ["state"], registry=metrics
        )
        self._alerts = Gauge(
            "keyturn_rotations_alerting",
            "Rotations whose client does not use its new secret, although the deadline has passed",
            registry=metrics,
        )

    async def round(self) -> float:
        """Plan and advance once. Return the seconds until the next round."""
        begun = await self._runner.plan()
        moved = await self._runner.advance()
        self._begun.inc(begun)
        self._steps.inc(len(moved))
        for failure in (each.failure for each in moved if each.failure is not None):
            self._failed.labels(failure.code.value).inc()
        counts = await self._runner.count()
        for state in State:
            if state.is_open:
                self._open.labels(state.value).set(
                    counts.get((state, False), 0) + counts.get((state, True), 0)
                )
        self._alerts.set(sum(count for (_, alerts), count in counts.items() if alerts))
        return 0.0 if len(moved) >= BATCH // 2 or begun >= BATCH else ROUND_SECONDS
