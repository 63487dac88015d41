"""Connections made of sockets that were accepted, here or by another process.

A connection with TLS counts from its first moment and not from the end of the handshake: asyncio would allow
a handshake a minute, and would report the connection only after it.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from keyturn_shared.http_server.connections import ConnectionTable

_SHUTDOWN_SECONDS: Final = 1.0
"""Seconds the other side has to confirm the end."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS of the server itself."""

    context: ssl.SSLContext
    handshake_seconds: float = 10.0


class AcceptedSockets:
    """Makes connections of accepted sockets, after a handshake if the server has TLS."""

    def __init__(
        self, table: ConnectionTable, make_connection: Callable[[], asyncio.Protocol], tls: Tls | None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._table = table
        self._make_connection = make_connection
        self._tls = tls
        self._pending: set[asyncio.Task[None]] = set()

    @property
    def pending(self) -> int:
        """The number of sockets that are not yet connections."""
        return len(self._pending)

    def make(self) -> asyncio.Protocol:
        """Make the connection of a socket that ``take`` will get."""
        return self._make_connection()

    def take(self, accepted: socket.socket, address: str, connection: asyncio.Protocol | None = None) -> None:
        """Make a connection of a socket. ``address``: that of the caller."""
        made = self._make_connection() if connection is None else connection
        task = self._loop.create_task(self._connect(accepted, made))
        if self._tls is not None and not self._table.admit(made, address, task.cancel):
            task.cancel()  # before the handshake no response can be sent
        self._pending.add(task)
        task.add_done_callback(lambda done: self._is_over(done, accepted, made))

    def close(self) -> None:
        """End unfinished handshakes."""
        for task in self._pending:
            task.cancel()

    async def _connect(self, accepted: socket.socket, connection: asyncio.Protocol) -> None:
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is None:
            await self._loop.connect_accepted_socket(lambda: connection, accepted)
            return
        await self._loop.connect_accepted_socket(
            lambda: connection,
            accepted,
            ssl=self._tls.context,
            ssl_handshake_timeout=self._tls.handshake_seconds,
            ssl_shutdown_timeout=_SHUTDOWN_SECONDS,
        )

    def _is_over(
        self, task: asyncio.Task[None], accepted: socket.socket, connection: asyncio.Protocol
    ) -> None:
        self._pending.discard(task)
        failure = None if task.cancelled() else task.exception()
        if not task.cancelled() and failure is None:
            return
        self._table.remove(connection)
        if failure is not None:
            _log.debug("connection_failed", reason=type(failure).__name__, tls=self._tls is not None)
        with contextlib.suppress(OSError):
            accepted.close()
