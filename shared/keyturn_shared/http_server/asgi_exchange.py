"""One request and its response, as an ASGI application sees them (ASGI 3, HTTP spec version 2.3)."""

import asyncio
import http
from typing import Any, Final, Protocol

import h11
import structlog

from keyturn_shared.asgi import ASGIApp, Message, Scope

_PHRASES: Final = {status.value: status.phrase.encode() for status in http.HTTPStatus}
_CLOSE: Final = (b"connection", b"close")

_log = structlog.get_logger(__name__)


class Channel(Protocol):
    """The connection of an exchange. ``is_retiring``: it ends with its current response."""

    @property
    def is_retiring(self) -> bool: ...

    def write(self, *events: h11.Event) -> None:
        """Send parts of the response."""

    async def drain(self) -> None:
        """Wait until the caller can receive more, or is disconnected."""

    def wants_body(self) -> None:
        """Continue reading: the application waits for more of the body."""

    def common_fields(self) -> list[tuple[bytes, bytes]]:
        """Return the fields that the server adds to a response."""

    def answered(self) -> None:
        """Handle the end of a response."""

    def failed(self) -> None:
        """Handle an application that ended without a complete response."""


class Exchange:
    """One exchange. ``is_last``: the connection closes after the response. ``disconnected``: the caller
    has gone or has received an error response."""

    def __init__(self, scope: Scope, channel: Channel) -> None:
        self.scope = scope
        self._channel = channel
        self._body = bytearray()
        self._more_body = True
        self._changed = asyncio.Event()
        self.is_last = False
        self.disconnected = False
        self.started = False
        self.complete = False

    @property
    def more_body(self) -> bool:
        return self._more_body

    def take(self, data: bytes) -> int:
        """Append to the body. Return the number of bytes that wait for the application."""
        self._body += data
        self._changed.set()
        return len(self._body)

    def end_body(self) -> None:
        self._more_body = False
        self._changed.set()

    def disconnect(self) -> None:
        self.disconnected = True
        self._changed.set()

    async def run(self, application: ASGIApp) -> None:
        """Run the application. Its exceptions are logged and do not end the process."""
        try:
            await application(self.scope, self._receive, self._send)
        except Exception as error:  # noqa: BLE001 - see above
            _log.error("request_failed", path=self.scope["path"], exc_info=error)
        finally:
            if not self.complete and not self.disconnected:
                self._channel.failed()

    async def _receive(self) -> Message:
        if not self.disconnected and not self.complete:
            self._channel.wants_body()
            await self._changed.wait()
            self._changed.clear()
        if self.disconnected or self.complete:
            return {"type": "http.disconnect"}
        body = bytes(self._body)
        self._body.clear()
        return {"type": "http.request", "body": body, "more_body": self._more_body}

    async def _send(self, message: Message) -> None:
        if not self.disconnected:
            await self._channel.drain()
        if self.disconnected:
            return
        kind = message["type"]
        if kind == "http.response.start" and not self.started:
            self._start(message)
        elif kind == "http.response.body" and self.started and not self.complete:
            self._continue(message)
        else:
            raise RuntimeError(f"the application sent {kind} out of turn")

    def _start(self, message: Message) -> None:
        self.started = True
        self.is_last = self.is_last or self._channel.is_retiring
        fields: list[tuple[bytes, bytes]] = [*self._channel.common_fields(), *message.get("headers", ())]
        if self.is_last and _CLOSE not in fields:
            fields.append(_CLOSE)
        status = message["status"]
        self._channel.write(
            h11.Response(status_code=status, headers=fields, reason=_PHRASES.get(status, b""))
        )

    def _continue(self, message: Message) -> None:
        # A response to HEAD has the same fields as one to GET, but no content (RFC 9110 9.3.2).
        body: Any = b"" if self.scope["method"] == "HEAD" else message.get("body", b"")
        if message.get("more_body", False):
            self._channel.write(h11.Data(data=body))
            return
        self.complete = True
        self._changed.set()
        self._channel.write(h11.Data(data=body), h11.EndOfMessage())
        self._channel.answered()
