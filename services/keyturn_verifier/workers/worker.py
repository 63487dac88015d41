"""A worker: a node that gets its connections from a parent."""

import asyncio
import signal
import socket
from typing import Final

import structlog
import uvloop
from prometheus_client import CollectorRegistry

from keyturn_shared.http_server.server import HttpServer
from keyturn_shared.http_server.serving import family_of
from keyturn_shared.logs import configure_logs
from keyturn_shared.tasks import end_tasks
from keyturn_verifier.app import create_app
from keyturn_verifier.process import make_server, prepare
from keyturn_verifier.settings import VerifierSettings
from keyturn_verifier.web.application import VerifierApplication
from keyturn_verifier.workers.given_connections import CONNECTIONS, ConnectionSource, GivenConnections
from keyturn_verifier.workers.pages import Pages
from keyturn_verifier.workers.records import Kind, Record, RecordChannel
from keyturn_verifier.workers.retirement import RETIRE_SECONDS

_REPORT_SECONDS: Final = 0.5
_FIRST_REPORTS_SECONDS: Final = 0.05
"""Seconds between reports until the worker is ready."""


def run_worker(settings: VerifierSettings, slot: int, descriptor: int) -> None:
    """Serve the parent's connections until it says stop, or is gone. ``descriptor``: the end of the channel
    to it."""
    configure_logs(level=settings.log_level, service="verifier")
    structlog.contextvars.bind_contextvars(worker=slot)
    own = settings.model_copy(update={"node_id": f"{settings.node_id}.w{slot}"})
    prepare(own)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(Worker(own, slot, socket.socket(fileno=descriptor)).run())


class Worker:
    """One of a node's processes. ``end``: of the channel to the parent."""

    def __init__(self, settings: VerifierSettings, slot: int, end: socket.socket) -> None:
        registry = CollectorRegistry()
        self._end = end
        self._pages = Pages(slot, registry, lambda number: self._channel.send(Kind.ASK_PAGES, number))
        self._app = create_app(settings, registry=registry, metrics_page=self._pages.page)
        table = GivenConnections(settings.connection_limits(), lambda: self._channel)
        self._source = ConnectionSource(table, lambda: self._channel, family_of(settings.host))
        self._server: HttpServer = make_server(settings, self._app, table)
        self._patience = RETIRE_SECONDS + settings.drain_seconds

    async def run(self) -> None:
        self._channel = RecordChannel(self._end, self._received, self._server.stop_gently)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._leave)
        async with self._app.lifespan():
            reporting = asyncio.create_task(_report(self._app, self._channel))
            try:
                await self._server.serve_from(self._source.start)
            finally:
                await end_tasks(reporting)
        self._channel.close()

    def _leave(self) -> None:
        """Ask the parent to give no further connection: it answers with a record to retire."""
        self._channel.send(Kind.LEAVING)
        asyncio.get_running_loop().call_later(self._patience, self._server.stop_gently)

    def _received(self, record: Record) -> None:
        if record.kind in CONNECTIONS:
            self._source.received(record)
        elif record.kind is Kind.RETIRE:
            self._server.retire(RETIRE_SECONDS)
        elif record.kind is Kind.STOP:
            self._server.stop()
        else:
            self._pages.received(record)


async def _report(app: VerifierApplication, channel: RecordChannel) -> None:
    """Tell the parent again and again whether this worker can answer."""
    pause = _FIRST_REPORTS_SECONDS
    while True:
        is_ready = not await app.not_ready()
        channel.send(Kind.READY if is_ready else Kind.NOT_READY)
        if is_ready:
            pause = _REPORT_SECONDS
        await asyncio.sleep(pause)
