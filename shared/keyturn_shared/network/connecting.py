"""Connections for the guarded fetcher: TCP to an address, or a tunnel through a proxy, and TLS on top."""

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any, Final

import httpcore

from keyturn_shared.network.proxy import Proxy

_READ_BUFFER: Final = 64 * 1024
_MAX_TUNNEL_ANSWER: Final = 8 * 1024


class TlsFailedError(httpcore.ConnectError):
    """There is a connection, but the server did not prove who it is, or not in a way that counts."""


class Connector(httpcore.AsyncNetworkBackend):
    """Connects with asyncio alone. Every step has the time limit that the caller gives."""

    def __init__(self, proxy: Proxy | None = None) -> None:
        self._proxy = proxy

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> "Connection":
        """Raises httpcore's ConnectTimeout, ConnectError, and ProxyError when a proxy refuses."""
        try:
            async with asyncio.timeout(timeout):
                if self._proxy is None:
                    return Connection(*await asyncio.open_connection(host, port, limit=_READ_BUFFER))
                return await _tunnel(self._proxy, host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("no connection in time") from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Connection(httpcore.AsyncNetworkStream):
    """A connection that is never used twice."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._in_clear: asyncio.StreamWriter | None = None

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            async with asyncio.timeout(timeout):
                return await self._reader.read(max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout("nothing was sent in time") from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not buffer:
            return
        try:
            async with asyncio.timeout(timeout):
                self._writer.write(buffer)
                await self._writer.drain()
        except TimeoutError as error:
            raise httpcore.WriteTimeout("the request was not taken in time") from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> "Connection":
        """Raises TlsFailedError, and httpcore's ConnectTimeout."""
        loop = asyncio.get_running_loop()
        # A reader of its own: what came in clear before TLS began must not be taken for what came by TLS.
        reader = asyncio.StreamReader(_READ_BUFFER, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        try:
            async with asyncio.timeout(timeout):
                transport = await loop.start_tls(
                    self._writer.transport, protocol, ssl_context, server_hostname=server_hostname
                )
        except TimeoutError as error:
            await self.aclose()
            raise httpcore.ConnectTimeout("no TLS in time") from error
        except ssl.SSLError as error:
            await self.aclose()
            raise TlsFailedError(_said(error)) from error
        except OSError as error:
            await self.aclose()
            raise TlsFailedError(str(error) or "the server ended the handshake") from error
        if transport is None:
            raise TlsFailedError("the server ended the connection")
        protocol.connection_made(transport)
        self._reader = reader
        self._in_clear = self._writer  # a writer that is let go closes what is now below TLS
        self._writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        return self

    async def aclose(self) -> None:
        """At once: nothing of what is left is worth waiting for."""
        self._writer.transport.abort()

    def get_extra_info(self, info: str) -> Any:
        return self._writer.get_extra_info("ssl_object") if info == "ssl_object" else None


async def _tunnel(proxy: Proxy, host: str, port: int) -> Connection:
    reader, writer = await asyncio.open_connection(proxy.host, proxy.port, limit=_READ_BUFFER)
    try:
        writer.write(proxy.request(host, port))
        answer = await reader.readuntil(b"\r\n\r\n")
        words = answer[:80].split(None, 2)
        if len(answer) > _MAX_TUNNEL_ANSWER or len(words) < 2 or not words[0].startswith(b"HTTP/1."):
            raise httpcore.ProxyError("the proxy does not speak HTTP")
        if not words[1].startswith(b"2"):
            raise httpcore.ProxyError(f"the proxy refuses: status {words[1][:3].decode('latin-1')}")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        writer.transport.abort()
        raise httpcore.ProxyError("the proxy does not answer as a proxy") from error
    except BaseException:
        writer.transport.abort()
        raise
    return Connection(reader, writer)


def _said(error: ssl.SSLError) -> str:
    verify = getattr(error, "verify_message", None)
    return str(verify or error.reason or error)[:200]
