"""A connection as httpcore reads and writes it, in plain text or over TLS."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, Final, Self

import httpcore

from keyturn_shared.network.frame_lengths import FrameLengths
from keyturn_shared.network.incoming import Incoming
from keyturn_shared.network.refusal import FetchRefused, Reason

_MAX_RECORDED: Final = 128 * 1024


class TcpStream(httpcore.AsyncNetworkStream):
    """A stream whose methods raise FetchRefused, which httpcore passes on; ``timeout`` is in seconds.

    Over HTTP/1.1 only its place links a response to a request, so octets that came before a request must not
    be taken for its response: unread data ends the connection, and ``began_with`` tells whether the parser
    had something left over.
    """

    def __init__(
        self, transport: asyncio.Transport, incoming: Incoming, on_close: "Callable[[TcpStream], None]"
    ) -> None:
        self._transport = transport
        self._incoming = incoming
        self._on_close = on_close
        self._frames: FrameLengths | None = None
        self._answer: bytearray | None = None

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            async with asyncio.timeout(timeout):
                data = await self._incoming.read(max_bytes)
        except TimeoutError:
            raise FetchRefused(Reason.TIMEOUT, "nothing was sent in time") from None
        except ssl.SSLError as error:
            raise FetchRefused(Reason.TLS_FAILED, _said(error)) from None
        except OSError as error:
            raise FetchRefused(Reason.CONNECTION_FAILED, str(error)) from None
        if self._frames is not None:
            self._frames.feed(data)
        if self._answer is not None and len(self._answer) < _MAX_RECORDED:
            self._answer += data
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not buffer:
            return
        if self._frames is None:
            if self._incoming.has_unread:
                raise FetchRefused(Reason.PROTOCOL_ERROR, "the server sent data before the request")
            self._answer = bytearray()
        if self._incoming.has_ended:
            return  # the peer is gone; reading tells how it ended
        try:
            self._transport.write(buffer)
            async with asyncio.timeout(timeout):
                await self._incoming.drained()
        except TimeoutError:
            raise FetchRefused(Reason.TIMEOUT, "the server did not accept the request in time") from None
        except OSError as error:
            raise FetchRefused(Reason.CONNECTION_FAILED, str(error)) from None

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> Self:
        """Switch to TLS, with a server that authenticates as ``server_hostname``."""
        # Plain-text data from before TLS must not be taken for data sent over TLS.
        incoming = Incoming()
        try:
            async with asyncio.timeout(timeout):
                transport = await asyncio.get_running_loop().start_tls(
                    self._transport, incoming, ssl_context, server_hostname=server_hostname
                )
        except TimeoutError:
            raise FetchRefused(Reason.TIMEOUT, "no TLS handshake in time") from None
        except OSError as error:
            raise FetchRefused(Reason.TLS_FAILED, _said(error) or "the server ended the handshake") from None
        if transport is None:
            raise FetchRefused(Reason.TLS_FAILED, "the server ended the connection")
        incoming.connection_made(transport)
        self._transport, self._incoming = transport, incoming
        # HTTP/2 numbers its streams, and servers speak first (RFC 9113 sections 3.4 and 5.1.1).
        if transport.get_extra_info("ssl_object").selected_alpn_protocol() == "h2":
            self._frames = FrameLengths()
        self._answer = None
        return self

    def began_with(self, head: bytes) -> bool:
        """Return whether the last response is known to begin with ``head``, received entirely after its
        request."""
        if self._frames is not None:
            return True
        answer, self._answer = self._answer, None
        return answer is not None and answer.startswith(head)

    def abort(self) -> None:
        """Close at once, without waiting for unsent data."""
        self._transport.abort()
        self._on_close(self)

    async def aclose(self) -> None:
        self.abort()

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return self._incoming.has_unread or self._incoming.has_ended or self._transport.is_closing()
        return self._transport.get_extra_info(info)


def _said(error: OSError) -> str:
    if not isinstance(error, ssl.SSLError):
        return str(error)
    return str(getattr(error, "verify_message", None) or error.reason or error)[:200]
