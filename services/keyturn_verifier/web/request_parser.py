"""Parses the octets of a connection into whole requests: llhttp behind the reader that frames messages."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

import httptools

from keyturn_shared.http_server.messages import MessageReader
from keyturn_shared.http_server.refusal import HttpRefusalError
from keyturn_shared.oauth.web.messages import Headers, Request
from keyturn_verifier.web.application import Route, VerifierApplication

_MAX_REPEATED_BYTES: Final = 4096
"""Longest head that is remembered until the next request of its connection."""


@dataclass(slots=True)
class Asked:
    """A whole request and its route."""

    route: Route
    request: Request
    keep_alive: bool


@dataclass(slots=True)
class _Repeatable:
    """A request whose head may come again. ``head``: its octets; ``size``: of the whole message. ``asked``:
    without its body."""

    head: bytes
    size: int
    asked: Asked

    def with_body(self, body: bytes) -> Asked:
        """Return the request with a body of the same length."""
        asked = self.asked
        return Asked(asked.route, _with_body(asked.request, body), asked.keep_alive)


class RequestParser:
    """Parser of one connection. ``address`` and ``certificate``: the caller's. ``wants_continue``: the caller
    withholds a body until asked for it (RFC 9110 section 10.1.1)."""

    def __init__(self, application: VerifierApplication, address: str, certificate: bytes | None) -> None:
        self._application = application
        self._address = address
        self._certificate = certificate
        self._reader = MessageReader()
        self._parser = httptools.HttpRequestParser(self)
        self._completed = 0
        self._asked: Asked | None = None
        self._before: _Repeatable | None = None
        self._refused: int | None = None
        self.wants_continue = False
        self._url = b""
        self._query = b""
        self._path = ""
        self._realm = ""
        self._headers: Headers = []
        self._expects = False
        self._route: Route | None = None
        self._body_limit = 0
        self._body: bytes | bytearray = b""

    @property
    def is_receiving(self) -> bool:
        """True if a request has begun and is incomplete."""
        return self._reader.is_receiving

    def feed(self, data: bytes) -> Iterator[Asked]:
        """Yield the requests that end in ``data``. Raises HttpRefusalError; then feed nothing more.

        A caller that keeps its connection usually sends one head again and again. The octets of the request
        before, with another body, mean what they meant: nothing is parsed again.
        """
        reader, before = self._reader, self._before
        is_between = not reader.is_receiving and not reader.is_over
        if before is not None and len(data) == before.size and is_between and data.startswith(before.head):
            yield before.with_body(data[len(before.head) :])
            return
        count, asked = 0, None
        for piece in reader.feed(data):
            try:
                self._parser.feed_data(piece)
            except httptools.HttpParserError:
                raise HttpRefusalError(self._refused or 400, "llhttp cannot parse it") from None
            if self._completed != self._reader.completed:
                raise HttpRefusalError(400, "two parsers disagree about where the request ends")
            if self._asked is not None:
                asked, self._asked = self._asked, None
                count += 1
                yield asked
        if is_between and asked is not None and count == 1:
            self._note(asked, data)

    def close(self) -> None:
        """Break the reference cycle with llhttp when the connection ends; nothing else does."""
        del self._parser
        self._before = None

    def _note(self, asked: Asked, data: bytes) -> None:
        """Remember a request that was all of ``data``, with a body of a length that its head states."""
        reader = self._reader
        self._before = None
        size = len(data) - reader.length
        if reader.is_receiving or reader.is_over or self._expects or not 0 < size <= _MAX_REPEATED_BYTES:
            return
        if reader.length >= 0 and data.endswith(b"\r\n\r\n", 0, size):
            without = Asked(asked.route, _with_body(asked.request, b""), asked.keep_alive)
            self._before = _Repeatable(data[:size], len(data), without)

    # Callbacks of llhttp

    def on_message_begin(self) -> None:
        self._url = b""
        self._headers = []
        self._expects = False
        self._body = b""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        self._headers.append((name, value))
        if name == b"expect" and value.lower() == b"100-continue":
            self._expects = True

    def on_headers_complete(self) -> None:
        target, _, self._query = self._url.partition(b"?")
        path = target.decode("ascii")
        self._path = unquote(path) if "%" in path else path
        self._realm, route = self._application.find(self._path)
        self._route = route
        self._body_limit = route.limit_for(self._headers)
        if self._reader.length > self._body_limit:
            raise self._refuse_body()
        self.wants_continue = self._expects

    def on_body(self, body: bytes) -> None:
        self.wants_continue = False
        route = self._route
        if route is None or len(self._body) + len(body) > self._body_limit:
            raise self._refuse_body()
        if not self._body:
            self._body = body
            return
        if isinstance(self._body, bytes):  # a body may come in as many pieces as it has octets
            self._body = bytearray(self._body)
        self._body += body

    def on_message_complete(self) -> None:
        route = self._route
        if route is None:
            return
        self._completed += 1
        self.wants_continue = False
        parser = self._parser
        request = Request(
            parser.get_method().decode("ascii"),
            self._path,
            self._realm,
            self._query,
            self._headers,
            bytes(self._body),
            self._address,
            self._certificate,
        )
        self._asked = Asked(route, request, not self._reader.is_over)

    def _refuse_body(self) -> HttpRefusalError:
        """Remember the refusal: httptools wraps what a callback raises in an error of its own."""
        self._refused = 413
        return HttpRefusalError(413, "the body exceeds the endpoint's limit")


def _with_body(request: Request, body: bytes) -> Request:
    """Return the same request with another body; ``dataclasses.replace`` takes five times as long."""
    return Request(
        request.method,
        request.path,
        request.realm,
        request.query,
        request.headers,
        body,
        request.address,
        request.certificate,
    )
