"""Metrics of the parent: the state of its workers, and the way to theirs."""

import contextlib
import socket
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from keyturn_verifier.workers.balance import Balance
from keyturn_verifier.workers.exposition import END_OF_PAGE, WORKER
from keyturn_verifier.workers.group import WorkerGroup
from keyturn_verifier.workers.records import Kind
from keyturn_verifier.workers.worker_process import WorkerProcess


class ParentMetrics(Collector):
    """Reads the state of the workers when it is asked for."""

    def __init__(self, group: WorkerGroup, balance: Balance[WorkerProcess]) -> None:
        self._group = group
        self._balance = balance
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def connect_pages(self, asking: WorkerProcess, question: int) -> None:
        """Connect each worker with the one that asks, which reads and merges their pages."""
        missing = 0
        for slot in self._group.slots:
            worker = slot.current
            theirs, its = socket.socketpair()
            with theirs, its:
                is_asked = (
                    worker is not None
                    and worker.is_serving
                    and worker.hand_over(its.fileno(), Kind.WRITE_PAGE)
                    and asking.hand_over(theirs.fileno(), Kind.PAGE, question, slot.number)
                )
            missing += not is_asked
        theirs, own = socket.socketpair()
        with theirs, own:
            own.setblocking(False)  # the page is far smaller than the socket's buffer
            with contextlib.suppress(BlockingIOError):
                own.send(generate_latest(self._registry) + END_OF_PAGE)
                asking.hand_over(theirs.fileno(), Kind.OWN_PAGE, question)
        asking.tell(Kind.PAGES_END, question, missing)

    def collect(self) -> Iterator[Metric]:
        ready = GaugeMetricFamily(
            "keyturn_worker_ready", "1 while a worker can answer and gets connections", labels=[WORKER]
        )
        held = GaugeMetricFamily(
            "keyturn_worker_connections", "Open connections that a worker was given", labels=[WORKER]
        )
        restarts = CounterMetricFamily(
            "keyturn_worker_restarts", "Times a worker was started because one had ended", labels=[WORKER]
        )
        for slot in self._group.slots:
            name, worker = str(slot.number), slot.current
            is_ready = worker is not None and worker.is_serving and worker.is_ready and worker.is_heard
            ready.add_metric([name], float(is_ready))
            held.add_metric([name], 0 if worker is None else self._balance.open_of(worker))
            restarts.add_metric([name], slot.restarts)
        replaced = CounterMetricFamily(
            "keyturn_worker_replacements", "Rolling restarts of all workers, by outcome", labels=["outcome"]
        )
        for outcome, count in self._group.rolls.items():
            replaced.add_metric([outcome], count)
        yield from (ready, held, restarts, replaced)
