"""HTTP/1.1 on one connection (RFC 9112), for uvicorn's server: whole requests in, whole replies out.

It takes half the processor time of uvicorn's own protocols, since there is no stream to support: a body is
handed over when it is complete, and a reply is one write. What a caller may send is bounded in size and time.
"""

import asyncio
import http
from collections import deque
from dataclasses import dataclass
from typing import Any, ClassVar, Final, cast
from urllib.parse import unquote

import httptools
from uvicorn.config import Config
from uvicorn.server import ServerState

from keyturn_verifier.web.application import Route, VerifierApplication, length_of, too_large
from keyturn_verifier.web.exchange import Headers, Reply, Request, json_reply

MAX_HEADER_BYTES: Final = 32 * 1024
MAX_HEADERS: Final = 100
MAX_PIPELINED: Final = 16
_IDLE_SECONDS: Final = 65.0

_STATUS_LINES: Final = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in http.HTTPStatus
}


@dataclass(slots=True)
class _Waiting:
    """A whole request whose turn has not come."""

    route: Route
    request: Request
    keep_alive: bool


class HttpProtocol(asyncio.Protocol):
    """One connection.

    ``request_seconds``: how long a request may take to arrive, and what was sent to be taken in.
    ``connection_limit``: connections of the server at a time.
    """

    request_seconds: ClassVar[float] = 10.0
    connection_limit: ClassVar[int] = 4096

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """As uvicorn calls it."""
        self._application = cast("VerifierApplication", config.loaded_app)
        self._server_state = server_state
        self._loop = _loop or asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._address = ""
        self._certificate: bytes | None = None
        self._waiting: deque[_Waiting] = deque()
        self._busy = False
        self._closing = False
        self._writable = True
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._url = b""
        self._query = b""
        self._path = ""
        self._realm = ""
        self._headers: Headers = []
        self._header_bytes = 0
        self._expects = False
        self._route: Route | None = None
        self._chunks: list[bytes] = []
        self._size = 0
        self._receiving = False
        self._closed = False

    # The connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self._address = peer[0] if isinstance(peer, tuple) else ""
        tls = transport.get_extra_info("ssl_object")
        # The handshake is over, and has refused a certificate that no client authority stands for.
        self._certificate = None if tls is None else tls.getpeercert(binary_form=True)
        # uvicorn asks of its connections only that they can be shut down.
        self._server_state.connections.add(self)  # type: ignore[arg-type]
        self._deadline = self._loop.time() + self.request_seconds
        self._timer = self._loop.call_at(self._deadline, self._look_at_time)
        if len(self._server_state.connections) > self.connection_limit:
            self._give_up(503, "Service Unavailable", [(b"retry-after", b"1")])

    def connection_lost(self, exc: Exception | None) -> None:
        self._server_state.connections.discard(self)
        self._transport = None
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        if self._closed:  # also in the middle of what has come: see HttpParserUpgrade below
            return
        if not self._receiving and not self._busy:
            self._receiving = True
            self._deadline = self._loop.time() + self.request_seconds
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._parser.get_method() == b"CONNECT":
                self._give_up(405, "Method Not Allowed")
                return
            self.data_received(self._without_upgrade() + data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._give_up(400, "Bad Request")

    def eof_received(self) -> None:
        return None

    def pause_writing(self) -> None:
        self._writable = False
        self._deadline = self._loop.time() + self.request_seconds

    def resume_writing(self) -> None:
        self._writable = True
        if not self._busy:
            self._next()

    def shutdown(self) -> None:
        """As uvicorn calls it when it stops: finish what is under way, then close."""
        self._closing = True
        if not self._busy and not self._waiting:
            self._close()

    # What the parser calls

    def on_message_begin(self) -> None:
        self._url = b""
        self._headers = []
        self._header_bytes = 0
        self._expects = False
        self._route = None
        self._chunks = []
        self._size = 0
        self._receiving = True

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._header_bytes += len(url)
        if self._header_bytes > MAX_HEADER_BYTES:
            self._give_up(431, "Request Header Fields Too Large")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value) + 4
        name = name.lower()
        self._headers.append((name, value))
        if name == b"expect" and value.lower() == b"100-continue":
            self._expects = True
        if self._header_bytes > MAX_HEADER_BYTES or len(self._headers) > MAX_HEADERS:
            self._give_up(431, "Request Header Fields Too Large")

    def on_headers_complete(self) -> None:
        target, _, self._query = self._url.partition(b"?")
        if target.startswith(b"http"):
            target = httptools.parse_url(self._url).path or b"/"  # absolute form (RFC 9112 3.2.2)
        path = target.decode("latin-1")
        self._path = unquote(path) if "%" in path else path
        self._realm, self._route = self._application.find(self._path)
        if self._expects:
            self._write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._route is not None and self._size > self._route.body_limit:
            self._application.refused(413)
            self._send(too_large(), keep_alive=False)
            self._give_up_quietly()
            return
        self._chunks.append(body)

    def on_message_complete(self) -> None:
        route = self._route
        if route is None or self._closed or self._parser.should_upgrade():
            return
        self._receiving = False
        chunks = self._chunks
        request = Request(
            self._parser.get_method().decode("ascii"),
            self._path,
            self._realm,
            self._query,
            self._headers,
            chunks[0] if len(chunks) == 1 else b"".join(chunks),
            self._address,
            self._certificate,
        )
        if len(self._waiting) >= MAX_PIPELINED:
            self._give_up(429, "Too Many Requests")
            return
        self._waiting.append(_Waiting(route, request, self._parser.should_keep_alive()))
        if not self._busy:
            self._next()

    # Requests and replies

    def _without_upgrade(self) -> bytes:
        """The head of the request again, for a new parser, without its offer of another protocol.

        None is spoken here, so the answer comes in this one (RFC 9110 7.8). Java's HTTP client offers h2c.
        """
        method = self._parser.get_method()
        self._parser = httptools.HttpRequestParser(self)
        kept = [
            b"%b: %b\r\n" % header for header in self._headers if header[0] not in (b"upgrade", b"connection")
        ]
        return b"%b %b HTTP/1.1\r\n%b\r\n" % (method, self._url, b"".join(kept))

    def _next(self) -> None:
        if not self._waiting or not self._writable or self._transport is None:
            return
        self._busy = True
        task = self._loop.create_task(self._serve(self._waiting.popleft()))
        self._server_state.tasks.add(task)
        task.add_done_callback(self._server_state.tasks.discard)

    async def _serve(self, waiting: _Waiting) -> None:
        reply = await self._application.reply(waiting.route, waiting.request)
        self._server_state.total_requests += 1
        self._busy = False
        self._send(reply, keep_alive=waiting.keep_alive, head=waiting.request.method == "HEAD")
        if self._waiting:
            self._next()
        elif not self._receiving and self._writable:
            self._deadline = self._loop.time() + _IDLE_SECONDS

    def _send(self, reply: Reply, *, keep_alive: bool, head: bool = False) -> None:
        parts = [_STATUS_LINES[reply.status]]
        for name, value in (*self._server_state.default_headers, *reply.headers, *length_of(reply)):
            parts += (name, b": ", value, b"\r\n")
        close = self._closing or not keep_alive
        parts.append(b"connection: close\r\n\r\n" if close else b"\r\n")
        if not head:
            parts.append(reply.body)
        self._write(b"".join(parts))
        if close:
            self._close()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _give_up(self, status: int, error: str, headers: Headers | None = None) -> None:
        """Say what is wrong with the request and close: what follows it cannot be understood."""
        if not self._closed:
            self._application.refused(status)
            self._send(json_reply(status, {"error": error}, headers), keep_alive=False)
        self._give_up_quietly()

    def _give_up_quietly(self) -> None:
        self._closed = True
        self._waiting.clear()
        self._close()

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _look_at_time(self) -> None:
        """One timer for the connection, not one for every request: it looks whether its time has come."""
        transport, now = self._transport, self._loop.time()
        if transport is None:
            return
        if self._busy or (self._waiting and self._writable):
            self._deadline = now + self.request_seconds
        if now < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._look_at_time)
        elif transport.is_closing() or not self._writable:
            transport.abort()  # closing would wait for a caller that takes nothing in
        else:
            # It gets as long again to take in what is sent.
            self._deadline = now + self.request_seconds
            self._timer = self._loop.call_at(self._deadline, self._look_at_time)
            if self._receiving:
                self._give_up(408, "Request Timeout")
            else:
                self._close()
