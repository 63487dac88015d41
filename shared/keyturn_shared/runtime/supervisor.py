"""Supervision of a service's tasks: if one ends, the process ends."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from typing import Final

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from keyturn_shared.runtime.supervised_task import SupervisedTask

GRACE_SECONDS: Final = 10.0
_RUNNING: Final = "keyturn_task_running"
_RUNS: Final = "keyturn_task_runs"
_FAILURES: Final = "keyturn_task_failures"
_SINCE: Final = "keyturn_task_seconds_since_success"

_log = structlog.get_logger(__name__)


def end_process() -> None:
    """Send SIGTERM to this process: answers in progress are finished, and the service manager restarts it."""
    os.kill(os.getpid(), signal.SIGTERM)


class Supervisor(Collector):
    """Watches the tasks of one process, and exports them as metrics.

    A task that ended makes the process not ready, so that it gets no more work, and ends the process after a
    grace period: half a service is worse than one that restarts.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        grace_seconds: float = GRACE_SECONDS,
        end: Callable[[], None] = end_process,
    ) -> None:
        self._grace_seconds = grace_seconds
        self._end = end
        self._watched: list[SupervisedTask] = []
        self._own: list[SupervisedTask] = []
        self._ended: dict[str, str] = {}
        self._ending: asyncio.TimerHandle | None = None
        registry.register(self)

    def watch(self, *tasks: SupervisedTask) -> None:
        """Watch tasks that other code starts and stops."""
        for task in tasks:
            task.on_end = self._note_end
            self._watched.append(task)

    def add(self, *tasks: SupervisedTask) -> None:
        """Watch tasks that are started and stopped with this supervisor."""
        self.watch(*tasks)
        self._own.extend(tasks)

    async def start(self) -> None:
        for task in self._own:
            await task.start()

    async def stop(self) -> None:
        """Stop the tasks, the last one first."""
        if self._ending is not None:
            self._ending.cancel()
        for task in reversed(self._own):
            await task.stop()

    def not_ready(self) -> dict[str, str]:
        """Return the tasks that have ended; empty when all run."""
        return {f"task {name}": f"ended: {reason}" for name, reason in self._ended.items()}

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """Yield the metrics, for prometheus_client."""
        running = GaugeMetricFamily(_RUNNING, "1 while a task that must run is running", labels=["task"])
        runs = CounterMetricFamily(_RUNS, "Successful rounds of a task", labels=["task"])
        failures = CounterMetricFamily(_FAILURES, "Rounds of a task that failed", labels=["task"])
        since = GaugeMetricFamily(_SINCE, "Seconds since the last successful round", labels=["task"])
        for task in self._watched:
            running.add_metric([task.name], float(task.running))
            runs.add_metric([task.name], task.runs)
            failures.add_metric([task.name], task.failures)
            if (seconds := task.seconds_since_success) is not None:
                since.add_metric([task.name], seconds)
        yield from (running, runs, failures, since)

    def _note_end(self, task: SupervisedTask, reason: str) -> None:
        self._ended[task.name] = reason
        _log.error("task_ended", task=task.name, reason=reason, process_ends_in=self._grace_seconds)
        if self._ending is None:
            loop = asyncio.get_running_loop()
            self._ending = loop.call_later(self._grace_seconds, self._end_process)

    def _end_process(self) -> None:
        _log.critical("process_ends", tasks=self._ended)
        self._end()
