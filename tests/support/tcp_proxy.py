"""A proxy of TCP connections that can be cut, can fall silent, and can speak TLS to its clients."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_CHUNK = 65_536


class TcpProxy:
    """Between clients and a server on this machine."""

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self._target_port = target_port
        self._open = asyncio.Event()
        self._open.set()
        self._refusing = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._copies: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """End all connections and accept none that lasts."""
        self._refusing = True
        for writer in self._writers:
            writer.transport.abort()

    def fall_silent(self) -> None:
        """Keep the connections, and pass nothing on in either direction."""
        self._open.clear()

    def restore(self) -> None:
        """Pass on what was held back, and accept connections again."""
        self._refusing = False
        self._open.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client's connection."""
        self._writers.add(writer)
        try:
            if self._refusing:
                return
            to_server, from_proxy = await asyncio.open_connection("127.0.0.1", self._target_port)
            self._writers.add(from_proxy)
            copies = [
                asyncio.create_task(self._copy(reader, from_proxy)),
                asyncio.create_task(self._copy(to_server, writer)),
            ]
            self._copies.update(copies)
            await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
            for copy in copies:
                copy.cancel()
                self._copies.discard(copy)
            from_proxy.transport.abort()
            self._writers.discard(from_proxy)
        except OSError:
            return  # the server does not listen: the client sees its connection end
        finally:
            writer.transport.abort()
            self._writers.discard(writer)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                await self._open.wait()
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def tcp_proxy(target_port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[TcpProxy]:
    """A running proxy on a free port of the loopback interface."""
    proxy = TcpProxy(target_port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, ssl=tls)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.cut()
        proxy.restore()
