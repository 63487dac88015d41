"""A connection of an ASGI application: h11 behind this package's reader and limits."""

import asyncio
from typing import ClassVar, Final, cast
from urllib.parse import unquote

import h11

from keyturn_shared.asgi import ASGIApp, Scope
from keyturn_shared.http_server.asgi_exchange import Exchange
from keyturn_shared.http_server.connections import ConnectionLimits, ConnectionTable
from keyturn_shared.http_server.deadline import Deadline
from keyturn_shared.http_server.ending import Lingering
from keyturn_shared.http_server.messages import MAX_PIPELINED, MessageReader
from keyturn_shared.http_server.refusal import HttpRefusalError, refusal_response
from keyturn_shared.http_server.server import HttpServer

KEEP_ALIVE_SECONDS: Final = 75.0
"""Seconds a connection may be idle; longer than any gateway allows, so that the gateway closes first."""
_BODY_LATER: Final = 5.0
"""Additional time, so that the application's own time limit for a body, which has a better answer, fires
first."""
_BODY_WAITING: Final = 64 * 1024
"""Maximum number of body bytes that wait for the application; then reading pauses."""


class AsgiConnection(asyncio.Protocol):
    """One connection. ``table``: the server's connections. ``head_seconds``: time limit for a head to arrive
    and for the caller to read an answer. ``body_seconds``: time limit for a whole request to arrive.
    ``idle_seconds``: time limit between two requests."""

    table: ClassVar[ConnectionTable] = ConnectionTable(ConnectionLimits())
    head_seconds: ClassVar[float] = 10.0
    body_seconds: ClassVar[float] = 30.0
    idle_seconds: ClassVar[float] = KEEP_ALIVE_SECONDS

    def __init__(self, application: ASGIApp, server: HttpServer) -> None:
        self._application = application
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._addresses: Scope = {}
        self._reader = MessageReader()
        self._http = h11.Connection(h11.SERVER)
        self._exchange: Exchange | None = None
        self._answered = 0
        self._arriving = Deadline(self._loop, self._is_late)
        self._reading_deadline = Deadline(self._loop, self._reads_nothing)
        self._begun_at = 0.0
        self._refused: int | None = None
        self._ending: Lingering | None = None
        self._reading = True
        self._writable = asyncio.Event()
        self._writable.set()

    # The connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        peer, name = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        self._addresses = {
            "client": peer[:2] if isinstance(peer, tuple) else None,
            "server": name[:2] if isinstance(name, tuple) else None,
            "scheme": "http" if transport.get_extra_info("sslcontext") is None else "https",
        }
        self._server.add(self)
        if self.table.admit(self, peer[0] if isinstance(peer, tuple) else "", self._give_way):
            self._arriving.set(self._loop.time() + self.head_seconds)
        else:
            self._end(503)

    def connection_lost(self, exc: Exception | None) -> None:
        self.table.remove(self)
        self._server.remove(self)
        self._arriving.cancel()
        self._reading_deadline.cancel()
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        if self._exchange is not None and not self._exchange.complete:
            self._exchange.disconnect()
        self._writable.set()
        self._transport = None

    def data_received(self, data: bytes) -> None:
        if self._ending is not None:
            self._ending.passed_over(data)
            return
        if self._refused is not None:
            return
        self.table.is_busy(self)
        reader = self._reader
        began = not reader.is_receiving
        before = reader.completed
        try:
            for piece in reader.feed(data):
                self._http.receive_data(piece)
                self._process_events()
                if self._is_closing:
                    return
                if reader.completed - self._answered > 1 + MAX_PIPELINED:
                    raise HttpRefusalError(
                        429, f"more than {MAX_PIPELINED} requests are waiting for responses"
                    )
        except HttpRefusalError as refusal:
            self._refused = refusal.status  # the error itself would refer to this connection by its traceback
            self._process_events()
            return
        if not reader.is_receiving:
            self._arriving.lift()
            self._mark_idle()
            return
        if began or reader.completed != before:
            self._begun_at = self._loop.time()
        seconds = self.body_seconds + _BODY_LATER if reader.in_body else self.head_seconds
        self._arriving.set(self._begun_at + seconds)

    def pause_writing(self) -> None:
        self._writable.clear()
        self._reading_deadline.set(self._loop.time() + self.head_seconds)

    def resume_writing(self) -> None:
        self._writable.set()
        self._reading_deadline.lift()

    def shutdown(self) -> None:
        """Finish the current request, then close. The server calls it when it stops."""
        if self._transport is None:
            return
        if self._ending is not None:
            self._transport.abort()
        elif self._is_answering and self._exchange is not None:
            self._exchange.is_last = True
        else:
            self._transport.close()

    def _give_way(self) -> None:
        """Close at once, to make room for another connection."""
        if self._transport is not None:
            self._transport.abort()

    # Events of the parser

    def _process_events(self) -> None:
        """Handle the events available now. After the last request, send the refusal, if any."""
        while not self._is_closing:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError:
                self._end(400)
                return
            if event is h11.PAUSED:
                self._pause_reading()  # another request waits until this one is answered
                return
            if not isinstance(event, h11.Request | h11.Data | h11.EndOfMessage):
                break  # more is needed
            self._take(event)
        in_body = self._http.their_state is h11.SEND_BODY
        if self._refused is not None and (in_body or not self._is_answering):
            self._end(self._refused)

    def _take(self, event: h11.Request | h11.Data | h11.EndOfMessage) -> None:
        exchange = self._exchange
        if isinstance(event, h11.Request):
            self._begin(event)
        elif exchange is None or exchange.complete:  # the response did not wait for this body
            if isinstance(event, h11.EndOfMessage):
                self._resume_reading()
                self._start_next()
        elif isinstance(event, h11.Data):
            if exchange.take(event.data) > _BODY_WAITING:
                self._pause_reading()
        else:
            exchange.end_body()

    def _begin(self, request: h11.Request) -> None:
        path, _, query = request.target.partition(b"?")
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": request.http_version.decode("ascii"),
            "method": request.method.decode("ascii"),
            "root_path": "",
            "path": unquote(path.decode("ascii")),
            "raw_path": path,
            "query_string": query,
            "headers": list(request.headers),
            "state": {},
            **self._addresses,
        }
        self._exchange = Exchange(scope, self)
        self._server.start(self._exchange.run(self._application))

    def _start_next(self) -> None:
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()

    # Called by the exchange

    @property
    def is_retiring(self) -> bool:
        return self._server.is_retiring

    def write(self, *events: h11.Event) -> None:
        """Send parts of the response."""
        octets = b"".join(self._http.send(event) or b"" for event in events)
        if self._transport is not None and octets:
            self._transport.write(octets)

    async def drain(self) -> None:
        """Wait until the caller can receive more, or is disconnected."""
        await self._writable.wait()

    def wants_body(self) -> None:
        """Continue reading: the application waits for more of the body."""
        if self._http.they_are_waiting_for_100_continue and not self._is_closing:
            self.write(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue"))
        self._resume_reading()

    def common_fields(self) -> list[tuple[bytes, bytes]]:
        """Return the fields that the server adds to a response."""
        return [*self._server.common_fields()]

    def answered(self) -> None:
        """Handle the end of a response: close, or continue with the next request."""
        self._answered += 1
        exchange = self._exchange
        if self._http.our_state is h11.MUST_CLOSE or (exchange is not None and exchange.is_last):
            self._close_gently()
        if self._is_closing:
            return
        self._resume_reading()
        self._start_next()
        self._process_events()
        self._mark_idle()

    def failed(self) -> None:
        """Handle an application that ended without a complete response."""
        if self._exchange is not None and self._exchange.started and self._transport is not None:
            self._transport.close()  # the caller sees that the response is incomplete
        else:
            self._end(500)

    def _mark_idle(self) -> None:
        """Mark the connection as idle if it has no request."""
        if not self._is_answering and not self._reader.is_receiving and not self._is_closing:
            self.table.is_idle(self)
            self._arriving.set(self._loop.time() + self.idle_seconds)

    # Closing

    @property
    def _is_answering(self) -> bool:
        return self._exchange is not None and not self._exchange.complete

    @property
    def _is_closing(self) -> bool:
        return self._ending is not None or self._transport is None or self._transport.is_closing()

    def _close_gently(self) -> None:
        """Close after the last answer, without a reset that could destroy it if the caller has sent more."""
        if self._ending is None and self._transport is not None:
            self._linger(self._transport, b"")

    def _end(self, status: int) -> None:
        """Send an error response, unless the answer to the request has begun, and close."""
        exchange, transport = self._exchange, self._transport
        if self._ending is not None or transport is None:
            return
        if exchange is not None and not exchange.complete:
            exchange.disconnect()
            if exchange.started:
                transport.abort()
                return
        self._linger(transport, refusal_response(status, self._server.common_fields()))

    def _linger(self, transport: asyncio.Transport, words: bytes) -> None:
        # The caller has the full time limit again to read the response.
        self._arriving.set(self._loop.time() + self.head_seconds)
        self._resume_reading()
        self._ending = Lingering(self._loop, transport, words)

    def _is_late(self) -> None:
        transport, exchange = self._transport, self._exchange
        if transport is None:
            return
        if self._ending is not None:
            transport.abort()
        elif (
            exchange is not None
            and not exchange.complete
            and not (self._reader.in_body and exchange.more_body)
        ):
            # The refusal waits until the current response is complete.
            self._arriving.set(self._loop.time() + self.head_seconds)
        elif self._reader.is_receiving:
            self._end(408)
        else:
            transport.close()

    def _reads_nothing(self) -> None:
        if self._transport is not None:
            self._transport.abort()  # closing would wait for a caller that does not read

    def _pause_reading(self) -> None:
        if self._transport is not None and self._reading:
            self._reading = False
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._transport is not None and not self._reading:
            self._reading = True
            self._transport.resume_reading()
