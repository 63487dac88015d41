"""HTTP/1.1 on one connection (RFC 9112), for a node: whole requests in, whole replies out.

It takes half the processor time of a connection for ASGI applications because it supports no streaming: a
body is delivered when it is complete, and a reply is one write. ``keyturn_shared.http_server`` frames the
messages and limits what a caller may send in size, time and number.
"""

import asyncio
import http
from collections import deque
from typing import ClassVar, Final, cast

from keyturn_shared.http_server.connections import ConnectionLimits, ConnectionTable
from keyturn_shared.http_server.deadline import Deadline
from keyturn_shared.http_server.ending import Lingering
from keyturn_shared.http_server.messages import MAX_PIPELINED
from keyturn_shared.http_server.refusal import HttpRefusalError, refusal_response
from keyturn_shared.http_server.server import HttpServer
from keyturn_shared.oauth.web.messages import Reply
from keyturn_verifier.web.application import VerifierApplication, length_of
from keyturn_verifier.web.request_parser import Asked, RequestParser

IDLE_SECONDS: Final = 65.0

_STATUS_LINES: Final = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in http.HTTPStatus
}


class HttpProtocol(asyncio.Protocol):
    """One connection. ``table``: the server's connections. ``request_seconds``: the time a request has to
    arrive, and the time the caller has to read the answer."""

    table: ClassVar[ConnectionTable] = ConnectionTable(ConnectionLimits())
    request_seconds: ClassVar[float] = 10.0
    idle_seconds: ClassVar[float] = IDLE_SECONDS

    def __init__(self, application: VerifierApplication, server: HttpServer) -> None:
        self._application = application
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser: RequestParser  # set in ``connection_made``, when the caller is known
        self._waiting: deque[Asked] = deque()
        self._refused: int | None = None
        self._ending: Lingering | None = None
        self._busy = False
        self._stopping = False
        self._writable = True
        self._deadline = Deadline(self._loop, self._look_at_time)

    # Connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        address = peer[0] if isinstance(peer, tuple) else ""
        tls = transport.get_extra_info("ssl_object")
        # The handshake is complete, and has refused any certificate not issued by a client authority.
        certificate = None if tls is None else tls.getpeercert(binary_form=True)
        self._parser = RequestParser(self._application, address, certificate)
        self._server.add(self)
        if self.table.admit(self, address, self._give_way):
            self._deadline.set(self._loop.time() + self.request_seconds)
        else:
            self._end(503)

    def connection_lost(self, exc: Exception | None) -> None:
        self.table.remove(self)
        self._server.remove(self)
        self._waiting.clear()
        # Garbage collection is rare and TLS buffers are large: no reference cycle may keep them.
        self._transport = None
        self._parser.close()
        self._deadline.cancel()
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None

    def data_received(self, data: bytes) -> None:
        if self._ending is not None:
            self._ending.passed_over(data)
            return
        if self._refused is not None or self._stopping:
            return
        parser = self._parser
        if not parser.is_receiving and not self._busy:
            self.table.is_busy(self)
            self._deadline.set(self._loop.time() + self.request_seconds)
        try:
            for asked in parser.feed(data):
                if len(self._waiting) > MAX_PIPELINED - self._busy:  # one of them is answered next
                    raise HttpRefusalError(
                        429, f"more than {MAX_PIPELINED} requests are waiting for responses"
                    )
                self._waiting.append(asked)
        except HttpRefusalError as refusal:
            self._refused = refusal.status  # the error itself would refer to this connection by its traceback
        if not self._busy:
            self._next()

    def eof_received(self) -> bool:
        """Handle the caller's end of input; it still gets its answers, if the transport allows."""
        self._stopping = True
        transport = self._transport
        # If the connection has ended, this was the last awaited event.
        owes = (self._busy or bool(self._waiting)) and self._ending is None
        return owes and transport is not None and transport.can_write_eof()

    def pause_writing(self) -> None:
        self._writable = False
        self._deadline.set(self._loop.time() + self.request_seconds)

    def resume_writing(self) -> None:
        self._writable = True
        if not self._busy:
            self._next()

    def shutdown(self) -> None:
        """Finish what is in progress, then close. The server calls it when it stops."""
        self._stopping = True
        if not self._busy and not self._waiting:
            self._close()

    def _give_way(self) -> None:
        """Close at once, to make room for another connection."""
        if self._transport is not None:
            self._transport.abort()

    # Requests and replies

    def _next(self) -> None:
        """Answer the next request; after the last one, answer with the refusal, if any. Other connections get
        their turn before the request after it: none may hold the node up with all that it sends at a time."""
        if self._waiting and self._can_answer:
            asked = self._waiting.popleft()
            reply = self._application.reply_at_once(asked.route, asked.request)
            if reply is None:
                self._busy = True
                self._server.start(self._serve(asked))
                return
            self._answer(asked, reply)
            if self._waiting:
                self._busy = True
                self._loop.call_soon(self._go_on)
                return
        transport = self._transport
        if transport is None or not self._can_answer:
            return
        if self._refused is not None:
            self._end(self._refused)
        elif self._parser.wants_continue:
            self._parser.wants_continue = False
            transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        else:
            self._rest()

    @property
    def _can_answer(self) -> bool:
        return self._writable and self._transport is not None and self._ending is None

    async def _serve(self, asked: Asked) -> None:
        reply = await self._application.reply(asked.route, asked.request)
        self._answer(asked, reply)
        self._go_on()

    def _go_on(self) -> None:
        self._busy = False
        self._next()

    def _rest(self) -> None:
        """Count as idle if nothing is to be done."""
        transport = self._transport
        if self._busy or not self._writable or self._parser.is_receiving or transport is None:
            return
        if self._ending is None and not transport.is_closing():
            self.table.is_idle(self)
            self._deadline.set(self._loop.time() + self.idle_seconds)

    def _answer(self, asked: Asked, reply: Reply) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        parts = [_STATUS_LINES[reply.status]]
        for name, value in (*self._server.common_fields(), *reply.headers, *length_of(reply)):
            parts += (name, b": ", value, b"\r\n")
        ends = self._stopping or self._server.is_retiring
        is_last = not self._waiting and self._refused is None  # a refusal is an answer too
        close = (ends and is_last) or not asked.keep_alive
        parts.append(b"connection: close\r\n\r\n" if close else b"\r\n")
        if asked.request.method != "HEAD":
            parts.append(reply.body)
        transport.write(b"".join(parts))
        if close:
            self._part()

    def _end(self, status: int) -> None:
        """Send an error response and close: what follows cannot be parsed."""
        self._application.refused(status)
        self._waiting.clear()
        if self._transport is not None and self._ending is None:
            words = refusal_response(status, self._server.common_fields())
            self._ending = Lingering(self._loop, self._transport, words)
        # The caller has the full time again to read the response.
        self._deadline.set(self._loop.time() + self.request_seconds)

    def _part(self) -> None:
        """Close after the last answer. A reset could destroy it if the caller has sent more."""
        if self._transport is not None and self._ending is None:
            self._waiting.clear()
            self._ending = Lingering(self._loop, self._transport)
            self._deadline.set(self._loop.time() + self.request_seconds)

    def _close(self) -> None:
        if self._transport is not None:
            self._waiting.clear()
            self._transport.close()
            self._deadline.set(self._loop.time() + self.request_seconds)

    def _look_at_time(self) -> None:
        transport = self._transport
        if transport is None:
            return
        if transport.is_closing() or not self._writable or self._ending is not None:
            transport.abort()  # closing would wait for a caller that does not read
        elif self._busy or self._waiting:
            self._deadline.set(self._loop.time() + self.request_seconds)
        elif self._parser.is_receiving:
            self._end(408)
        else:
            self._close()
