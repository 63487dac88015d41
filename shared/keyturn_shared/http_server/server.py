"""A server on one listening socket. When it is stopped, it lets current requests finish."""

import asyncio
import socket
import ssl
import time
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from signal import SIGINT, SIGTERM
from typing import Any, Final, Protocol

from keyturn_shared.http_server.connections import ConnectionTable
from keyturn_shared.http_server.serving import BACKLOG
from keyturn_shared.http_server.tls_acceptor import TlsAcceptor
from keyturn_shared.tasks import end_tasks

Fields = tuple[tuple[bytes, bytes], ...]


class Connection(Protocol):
    """A connection of the server."""

    def shutdown(self) -> None:
        """Finish the current request, then close."""


class MakesConnections(Protocol):
    """A class of connections. ``application``: answers their requests."""

    table: ConnectionTable

    def __call__(self, application: Any, server: "HttpServer") -> asyncio.Protocol: ...


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS of the server itself."""

    context: ssl.SSLContext
    handshake_seconds: float = 10.0


class HttpServer:
    """A server. ``drain_seconds``: the time that current requests have after a stop, before they are
    cancelled."""

    def __init__(
        self, application: Any, connection: MakesConnections, *, drain_seconds: float, tls: Tls | None = None
    ) -> None:
        self._application = application
        self._connection = connection
        self._drain_seconds = drain_seconds
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = asyncio.Event()
        self._ended = asyncio.Event()
        self._second = 0
        self._fields: Fields = ()
        self.connections: Final[set[Connection]] = set()

    async def serve(self, listening: socket.socket) -> None:
        """Serve until ``stop``. The caller closes the socket."""
        accepting = await self._accept(listening)
        try:
            await self._stopped.wait()
        finally:
            accepting.close()
        for connection in list(self.connections):
            connection.shutdown()
        self._end_if_drained()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._drain_seconds):
                await self._ended.wait()
        await end_tasks(*self._tasks)

    def stop_on_signals(self) -> None:
        """Stop at SIGTERM or SIGINT; a second signal stops without waiting for requests."""
        for number in (SIGTERM, SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self.stop)

    def stop(self) -> None:
        """Stop accepting connections; end when the current requests are finished, or at a second call."""
        if self._stopped.is_set():
            self._ended.set()
        self._stopped.set()

    # Called by connections

    def add(self, connection: Connection) -> None:
        """Add a new connection. It is closed if the server has been stopped."""
        self.connections.add(connection)
        if self._stopped.is_set():
            asyncio.get_running_loop().call_soon(connection.shutdown)

    def remove(self, connection: Connection) -> None:
        """Remove a lost connection."""
        self.connections.discard(connection)
        self._end_if_drained()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a request in a task; the server waits for it when it stops."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._is_done)

    def common_fields(self) -> Fields:
        """Return the fields of every response: the Date (RFC 9110 section 6.6.1)."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._fields = ((b"date", formatdate(second, usegmt=True).encode()),)
        return self._fields

    def _make(self) -> asyncio.Protocol:
        return self._connection(self._application, self)

    async def _accept(self, listening: socket.socket) -> "asyncio.Server | TlsAcceptor":
        if self._tls is None:
            return await asyncio.get_running_loop().create_server(self._make, sock=listening, backlog=BACKLOG)
        tls = self._tls
        return TlsAcceptor(listening, tls.context, self._connection.table, self._make, tls.handshake_seconds)

    def _is_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._end_if_drained()

    def _end_if_drained(self) -> None:
        if self._stopped.is_set() and not self.connections and not self._tasks:
            self._ended.set()
