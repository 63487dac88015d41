"""The parent of a node's workers. It accepts connections and passes them on; it knows no OAuth and no key.

Callers must wait neither for a worker that is starting nor in the queue of one that ends: so the parent alone
has the listening socket, and gives each connection to the ready worker with the fewest.
"""

import asyncio
import contextlib
import signal
from collections.abc import Mapping, Sequence

import structlog
import uvloop

from keyturn_shared.http_server.serving import listen
from keyturn_shared.logs import configure_logs
from keyturn_verifier.process_settings import ProcessSettings
from keyturn_verifier.workers.distribution import Distribution
from keyturn_verifier.workers.group import WorkerGroup, WorkersFailedError
from keyturn_verifier.workers.parent_metrics import ParentMetrics
from keyturn_verifier.workers.records import Kind, Record
from keyturn_verifier.workers.worker_process import WorkerProcess

_log = structlog.get_logger(__name__)


def run_parent(settings: ProcessSettings, command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Serve with several workers until SIGTERM or SIGINT; SIGHUP replaces them one by one. Return the exit
    code.

    ``command``: starts a worker, with its number and a descriptor as further arguments. ``environment``: that
    of the workers. Raises ConfigurationError.
    """
    configure_logs(level=settings.log_level, service="verifier")
    common = {**environment, "KEYTURN_NODE_ID": settings.node_id}

    async def run() -> int:
        return await Parent(settings, command, common).run()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())


class Parent:
    """The listening socket and the workers."""

    def __init__(
        self, settings: ProcessSettings, command: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        self._settings = settings
        self._command = command
        self._environment = environment
        self._group = WorkerGroup(settings.workers, self._start, drain_seconds=settings.drain_seconds)
        self._distribution = Distribution(settings.connection_limits(), self._group.serving)
        self._metrics = ParentMetrics(self._group, self._distribution.balance)
        self._served = asyncio.Event()

    async def run(self) -> int:
        """Serve until a signal. Return the exit code. Raises ConfigurationError if it cannot listen."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        loop.add_signal_handler(signal.SIGHUP, self._group.roll)
        working = asyncio.create_task(self._group.run())
        opening = asyncio.create_task(self._open())
        try:
            await asyncio.wait([working, opening], return_when=asyncio.FIRST_COMPLETED)
            if opening.done():
                opening.result()
            await asyncio.shield(working)
        except WorkersFailedError as error:
            return error.exit_code
        finally:
            opening.cancel()
            self._stop()
            with contextlib.suppress(WorkersFailedError):
                await working
        return 0

    async def _open(self) -> None:
        """Listen once a worker serves: a gateway asks another node while nobody listens here."""
        await self._served.wait()
        self._distribution.open(listen(self._settings.host, self._settings.port))

    def _stop(self) -> None:
        self._distribution.close()
        self._group.stop()

    async def _start(self, slot: int) -> WorkerProcess:
        worker = await WorkerProcess.start(
            slot, self._command, self._environment, self._received, self._distribution.forget
        )
        _log.info("worker_started", worker=slot, pid=worker.pid)
        return worker

    def _received(self, worker: WorkerProcess, record: Record) -> None:
        if record.kind is Kind.TAKEN:
            self._distribution.taken(worker, record.number)
        elif record.kind is Kind.CLOSED:
            self._distribution.balance.closed(worker, record.number)
        elif record.kind is Kind.RETURNED:
            self._distribution.returned(worker, record)
        elif record.kind is Kind.ASK_PAGES:
            self._metrics.connect_pages(worker, record.number)
        else:
            self._served.set()
            self._distribution.retry()
