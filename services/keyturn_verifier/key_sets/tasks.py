"""The background loops of key sets."""

from collections.abc import Awaitable, Callable
from typing import Final

from keyturn_shared.clock import Clock
from keyturn_shared.runtime.backoff import Backoff
from keyturn_shared.runtime.supervised_task import SupervisedTask
from keyturn_verifier.key_sets.metrics import KeySetMetrics

_BACKOFF: Final = Backoff(first=0.1, longest=2.0)


def key_set_task(
    name: str, work: Callable[[], Awaitable[float]], clock: Clock, metrics: KeySetMetrics
) -> SupervisedTask:
    """Make a supervised loop whose failures are counted under its name."""
    failures = metrics.loop_failures.labels(name)
    return SupervisedTask(
        f"key-sets-{name}",
        work,
        elapsed=clock.elapsed,
        backoff=_BACKOFF,
        failed=lambda error: failures.inc(),
    )
