"""TLS of the server itself; a connection counts from its first moment and not from the end of the handshake.

asyncio would allow a handshake a minute, and would report the connection only after it.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Final

import structlog

from keyturn_shared.http_server.connections import ConnectionTable

_SHUTDOWN_SECONDS: Final = 1.0
"""Seconds the other side has to confirm the end."""
_ACCEPTED_AT_ONCE: Final = 64
_PAUSE_SECONDS: Final = 0.5
"""Pause after a failed accept, for example when no file descriptor is left."""

_log = structlog.get_logger(__name__)


class TlsAcceptor:
    """Accepts connections and performs handshakes. A connection is in the table from the start."""

    def __init__(
        self,
        listening: socket.socket,
        context: ssl.SSLContext,
        table: ConnectionTable,
        make_connection: Callable[[], asyncio.Protocol],
        handshake_seconds: float,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._listening = listening
        self._context = context
        self._table = table
        self._make_connection = make_connection
        self._handshake_seconds = handshake_seconds
        self._handshakes: set[asyncio.Task[None]] = set()
        self._again: asyncio.TimerHandle | None = None
        listening.setblocking(False)
        self._loop.add_reader(listening, self._accept)

    def close(self) -> None:
        """Stop accepting, and end unfinished handshakes."""
        if self._again is not None:
            self._again.cancel()
        self._loop.remove_reader(self._listening)
        self._listening.close()
        for task in self._handshakes:
            task.cancel()

    def _accept(self) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                accepted, peer = self._listening.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                _log.warning("accept_failed", reason=error.strerror)
                self._loop.remove_reader(self._listening)
                self._again = self._loop.call_later(
                    _PAUSE_SECONDS, self._loop.add_reader, self._listening, self._accept
                )
                return
            self._receive(accepted, peer[0])

    def _receive(self, accepted: socket.socket, address: str) -> None:
        connection = self._make_connection()
        task = self._loop.create_task(self._shake_hands(accepted, connection))
        if not self._table.admit(connection, address, task.cancel):
            task.cancel()  # before the handshake no response can be sent
        self._handshakes.add(task)
        task.add_done_callback(lambda done: self._is_over(done, accepted, connection))

    async def _shake_hands(self, accepted: socket.socket, connection: asyncio.Protocol) -> None:
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await self._loop.connect_accepted_socket(
            lambda: connection,
            accepted,
            ssl=self._context,
            ssl_handshake_timeout=self._handshake_seconds,
            ssl_shutdown_timeout=_SHUTDOWN_SECONDS,
        )

    def _is_over(
        self, task: asyncio.Task[None], accepted: socket.socket, connection: asyncio.Protocol
    ) -> None:
        self._handshakes.discard(task)
        failure = None if task.cancelled() else task.exception()
        if not task.cancelled() and failure is None:
            return
        self._table.remove(connection)
        if failure is not None:
            _log.debug("tls_handshake_failed", reason=type(failure).__name__)
        with contextlib.suppress(OSError):
            accepted.close()
