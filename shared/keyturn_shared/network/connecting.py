"""Connections for the guarded fetcher: TCP to an address, or a tunnel through a proxy, and TLS on top."""

import asyncio
import ssl
from typing import Final

from keyturn_shared.network.proxy import Proxy
from keyturn_shared.network.refusal import FetchRefused, Reason

_READ_BUFFER: Final = 64 * 1024
_MAX_TUNNEL_ANSWER: Final = 8 * 1024


class Connection:
    """A connection for one request. Every method raises FetchRefused, and takes a limit in seconds."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._in_clear: asyncio.StreamWriter | None = None

    async def start_tls(self, context: ssl.SSLContext, name: str, seconds: float) -> None:
        """Go on by TLS, with a server that proves to be ``name``."""
        loop = asyncio.get_running_loop()
        # A reader of its own: what came in clear before TLS began must not be taken for what came by TLS.
        reader = asyncio.StreamReader(_READ_BUFFER, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        try:
            async with asyncio.timeout(seconds):
                transport = await loop.start_tls(
                    self._writer.transport, protocol, context, server_hostname=name
                )
        except TimeoutError:
            raise FetchRefused(Reason.TIMEOUT, "no TLS in time") from None
        except OSError as error:
            raise FetchRefused(Reason.TLS_FAILED, _said(error) or "the server ended the handshake") from None
        if transport is None:
            raise FetchRefused(Reason.TLS_FAILED, "the server ended the connection")
        protocol.connection_made(transport)
        self._reader = reader
        self._in_clear = self._writer  # a writer that is let go closes what is now below TLS
        self._writer = asyncio.StreamWriter(transport, protocol, reader, loop)

    async def read(self, seconds: float) -> bytes:
        """What has come; nothing when the other side has ended."""
        try:
            async with asyncio.timeout(seconds):
                return await self._reader.read(_READ_BUFFER)
        except TimeoutError:
            raise FetchRefused(Reason.TIMEOUT, "nothing was sent in time") from None
        except ssl.SSLError as error:
            raise FetchRefused(Reason.TLS_FAILED, _said(error)) from None
        except OSError as error:
            raise FetchRefused(Reason.CONNECTION_FAILED, str(error)) from None

    async def write(self, data: bytes, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                self._writer.write(data)
                await self._writer.drain()
        except TimeoutError:
            raise FetchRefused(Reason.TIMEOUT, "the request was not taken in time") from None
        except OSError as error:
            raise FetchRefused(Reason.CONNECTION_FAILED, str(error)) from None

    def close(self) -> None:
        """At once: nothing of what is left is worth waiting for."""
        self._writer.transport.abort()


async def connect(host: str, port: int, seconds: float, proxy: Proxy | None = None) -> Connection:
    """To an address, or through a proxy to an address or a name. Raises FetchRefused."""
    try:
        async with asyncio.timeout(seconds):
            if proxy is not None:
                return await _tunnel(proxy, host, port)
            return Connection(*await asyncio.open_connection(host, port, limit=_READ_BUFFER))
    except TimeoutError:
        raise FetchRefused(Reason.TIMEOUT, "no connection in time") from None
    except OSError as error:
        raise FetchRefused(Reason.CONNECTION_FAILED, str(error)) from None


async def _tunnel(proxy: Proxy, host: str, port: int) -> Connection:
    reader, writer = await asyncio.open_connection(proxy.host, proxy.port, limit=_READ_BUFFER)
    try:
        writer.write(proxy.request(host, port))
        answer = await reader.readuntil(b"\r\n\r\n")
        words = answer[:80].split(None, 2)
        if len(answer) > _MAX_TUNNEL_ANSWER or len(words) < 2 or not words[0].startswith(b"HTTP/1."):
            raise FetchRefused(Reason.PROXY_FAILED, "the proxy does not speak HTTP")
        if not words[1].startswith(b"2"):
            status = words[1][:3].decode("latin-1")
            raise FetchRefused(Reason.PROXY_FAILED, f"the proxy refuses: status {status}")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        writer.transport.abort()
        raise FetchRefused(Reason.PROXY_FAILED, "the proxy does not answer as a proxy") from None
    except BaseException:  # also cancelled or out of time: nobody else knows of this connection yet
        writer.transport.abort()
        raise
    return Connection(reader, writer)


def _said(error: OSError) -> str:
    if not isinstance(error, ssl.SSLError):
        return str(error)
    return str(getattr(error, "verify_message", None) or error.reason or error)[:200]
