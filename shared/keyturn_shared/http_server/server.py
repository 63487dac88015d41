"""A server of connections, of one listening socket or from elsewhere. When it is stopped, it lets current
requests finish."""

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from email.utils import formatdate
from signal import SIGINT, SIGTERM
from typing import Any, Final, Protocol

from keyturn_shared.http_server.accepted_sockets import AcceptedSockets, Tls
from keyturn_shared.http_server.acceptor import Acceptor
from keyturn_shared.http_server.connections import ConnectionTable
from keyturn_shared.http_server.serving import BACKLOG
from keyturn_shared.tasks import end_tasks

IDLE_DRAIN_SECONDS: Final = 1.0
"""For processes behind a proxy, which may send a request just before it sees a connection end."""

Fields = tuple[tuple[bytes, bytes], ...]


class Connection(Protocol):
    """A connection of the server."""

    def shutdown(self) -> None:
        """Finish the current request, then close."""


class MakesConnections(Protocol):
    """A class of connections. ``application``: answers their requests."""

    table: ConnectionTable

    def __call__(self, application: Any, server: "HttpServer") -> asyncio.Protocol: ...


class Closable(Protocol):
    """A source of connections."""

    def close(self) -> None:
        """Bring no further connection."""


SourceOfSockets = Callable[[AcceptedSockets], Closable]
"""Starts to bring accepted sockets."""


class HttpServer:
    """A server. ``drain_seconds``: the time that current requests have after a stop, before they are
    cancelled. ``idle_drain_seconds``: the part of it in which idle connections stay open: a request that was
    already on its way is answered, and a proxy learns from the answer that the connection ends. ``on_stop``:
    called at the first stop."""

    def __init__(
        self,
        application: Any,
        connection: MakesConnections,
        *,
        drain_seconds: float,
        idle_drain_seconds: float = 0.0,
        on_stop: Callable[[], object] = lambda: None,
        tls: Tls | None = None,
    ) -> None:
        self._application = application
        self._connection = connection
        self._drain_seconds = drain_seconds
        self._idle_drain_seconds = min(idle_drain_seconds, drain_seconds)
        self._on_stop = on_stop
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = asyncio.Event()
        self._ended = asyncio.Event()
        self._sockets: AcceptedSockets | None = None
        self.is_retiring = False
        self._closes_idle = False
        self._second = 0
        self._fields: Fields = ()
        self.connections: Final[set[Connection]] = set()

    async def serve(self, listening: socket.socket) -> None:
        """Serve until ``stop``. The caller closes the socket."""
        if self._tls is not None:
            await self.serve_from(lambda sockets: Acceptor(listening, sockets.take))
            return
        loop = asyncio.get_running_loop()
        await self._serve(await loop.create_server(self._make, sock=listening, backlog=BACKLOG))

    async def serve_from(self, source: SourceOfSockets) -> None:
        """Serve sockets that were accepted elsewhere, until ``stop``."""
        self._sockets = AcceptedSockets(self._connection.table, self._make, self._tls)
        await self._serve(source(self._sockets))

    async def _serve(self, source: Closable) -> None:
        try:
            await self._stopped.wait()
        finally:
            source.close()
            if self._sockets is not None:
                self._sockets.close()
        idle_seconds = 0.0 if self.is_retiring else self._idle_drain_seconds
        self.is_retiring = True
        self._end_if_drained()
        await self._until_ended(idle_seconds)
        self._closes_idle = True
        for connection in list(self.connections):
            connection.shutdown()
        self._end_if_drained()
        await self._until_ended(self._drain_seconds - idle_seconds)
        await end_tasks(*self._tasks)

    async def _until_ended(self, seconds: float) -> None:
        """Wait until everything has ended, at most this long."""
        if seconds > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._ended.wait()

    def stop_on_signals(self) -> None:
        """Stop at SIGTERM or SIGINT; a second signal stops without waiting for requests."""
        for number in (SIGTERM, SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self.stop)

    def stop(self) -> None:
        """Stop accepting connections; end when the current requests are finished, or at a second call."""
        if self._stopped.is_set():
            self._ended.set()
        else:
            self._on_stop()
        self._stopped.set()

    def stop_gently(self) -> None:
        """Stop, unless that has begun: a second call changes nothing."""
        if not self._stopped.is_set():
            self.stop()

    def retire(self, seconds: float) -> None:
        """Go on serving, and end each connection with its next response; stop when no connection is left, or
        after these seconds. Callers learn from a response that the connection ends, so none of them sends a
        request into a connection that is being closed."""
        if not self.is_retiring:
            self.is_retiring = True
            asyncio.get_running_loop().call_later(seconds, self.stop_gently)
            self._stop_if_unused()

    # Called by connections

    def add(self, connection: Connection) -> None:
        """Add a new connection. It is closed if the server has been stopped."""
        self.connections.add(connection)
        if self._closes_idle:
            asyncio.get_running_loop().call_soon(connection.shutdown)

    def remove(self, connection: Connection) -> None:
        """Remove a lost connection."""
        self.connections.discard(connection)
        self._stop_if_unused()
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

    def _stop_if_unused(self) -> None:
        pending = 0 if self._sockets is None else self._sockets.pending
        if self.is_retiring and not self.connections and not pending:
            self.stop_gently()

    def _is_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._end_if_drained()

    def _end_if_drained(self) -> None:
        if self._stopped.is_set() and not self.connections and not self._tasks:
            self._ended.set()
