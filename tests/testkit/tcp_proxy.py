"""A proxy of TCP connections with a network's faults, which can speak TLS to its clients."""

import asyncio
import ssl
import struct
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from math import inf
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET

_CHUNK = 65_536
_SLOW_CHUNK = 1_024
_MAX_SECONDS = 1.0
"""No piece waits longer, even a large one from before the connection became slow."""
_NO_LINGER = struct.pack("ii", 1, 0)
"""Makes a closed socket send RST, and nothing it still holds."""


class _Connection:
    """``lost``: neither side gets anything any more, and neither was notified."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.client = client
        self.server = server
        self.used = time.monotonic()
        self.lost = False

    def reset(self) -> None:
        _reset(self.client)
        _reset(self.server)


class TcpProxy:
    """Between clients and a server on this machine: a port, or the path of a Unix socket.

    ``connections``: number made so far. ``delay``: additional seconds per piece. ``bytes_per_second``: per
    direction of a connection. ``rewritten``: texts in the server's output, with their replacements.
    """

    def __init__(self, target: int | Path, *, rewritten: Mapping[bytes, bytes] | None = None) -> None:
        self.port = 0
        self.connections = 0
        self.delay = 0.0
        self.bytes_per_second = inf
        self._target = target
        self._rewritten = dict(rewritten or {})
        self._open = asyncio.Event()
        self._open.set()
        self._refusing = False
        self._arrived: set[asyncio.StreamWriter] = set()
        self._connections: set[_Connection] = set()
        self._serving: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """Reset all connections, and every later one."""
        self._refusing = True
        for writer in self._arrived:
            _reset(writer)
        for connection in self._connections:
            connection.reset()

    def cut_idle(self, seconds: float) -> None:
        """Reset connections that were idle for this long, like a load balancer."""
        for connection in self._connections:
            if time.monotonic() - connection.used >= seconds:
                connection.reset()

    def fall_silent(self) -> None:
        """Keep the connections, accept others, and forward nothing in either direction."""
        self._open.clear()

    def lose_peers(self) -> None:
        """Forget existing connections, like a restarted router: their clients are not notified, and never
        hear from the server again. Later connections are unaffected."""
        for connection in self._connections:
            connection.lost = True
            _reset(connection.server)

    def restore(self) -> None:
        """Forward what was held back, without delay from now on, and accept connections again."""
        self._refusing = False
        self.delay, self.bytes_per_second = 0.0, inf
        self._open.set()

    async def close(self) -> None:
        """Reset all connections, and wait until they are gone."""
        self.cut()
        self.delay, self.bytes_per_second = 0.0, inf
        self._open.set()
        if self._serving:
            await asyncio.wait(self._serving)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client's connection."""
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        self.connections += 1
        self._arrived.add(writer)
        try:
            if self._refusing:
                _reset(writer)
                return
            to_server, server = await self._connect()
            await self._pass(reader, writer, to_server, server)
        except OSError:
            return  # the server does not listen: the client sees its connection end
        finally:
            self._arrived.discard(writer)
            writer.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._target, Path):
            return await asyncio.open_unix_connection(str(self._target))
        return await asyncio.open_connection("127.0.0.1", self._target)

    async def _pass(
        self,
        from_client: asyncio.StreamReader,
        client: asyncio.StreamWriter,
        from_server: asyncio.StreamReader,
        server: asyncio.StreamWriter,
    ) -> None:
        connection = _Connection(client, server)
        self._connections.add(connection)
        answers = asyncio.create_task(self._copy(connection, from_server, client, self._rewritten))
        try:
            await self._copy_until_either_ends(connection, from_client, server, answers)
            if connection.lost:
                with suppress(OSError):
                    while await from_client.read(_CHUNK):
                        pass
        finally:
            answers.cancel()
            self._connections.discard(connection)
            server.transport.abort()

    async def _copy_until_either_ends(
        self,
        connection: _Connection,
        from_client: asyncio.StreamReader,
        server: asyncio.StreamWriter,
        answers: asyncio.Task[None],
    ) -> None:
        requests = asyncio.create_task(self._copy(connection, from_client, server, {}))
        try:
            await asyncio.wait((requests, answers), return_when=asyncio.FIRST_COMPLETED)
        finally:
            requests.cancel()
            await asyncio.wait((requests,))

    async def _copy(
        self,
        connection: _Connection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        rewritten: Mapping[bytes, bytes],
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(_CHUNK if self.bytes_per_second == inf else _SLOW_CHUNK):
                connection.used = time.monotonic()
                if seconds := self.delay + len(data) / self.bytes_per_second:
                    await asyncio.sleep(min(seconds, _MAX_SECONDS))
                await self._open.wait()
                if connection.lost:
                    return
                for text, instead in rewritten.items():
                    data = data.replace(text, instead)
                writer.write(data)
                await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    if sock is not None:
        with suppress(OSError, ValueError):  # it is already closed; uvloop raises ValueError
            sock.setsockopt(SOL_SOCKET, SO_LINGER, _NO_LINGER)
    writer.transport.abort()


@asynccontextmanager
async def tcp_proxy(
    target: int | Path, tls: ssl.SSLContext | None = None, *, rewritten: Mapping[bytes, bytes] | None = None
) -> AsyncIterator[TcpProxy]:
    """Run a proxy on a free loopback port."""
    proxy = TcpProxy(target, rewritten=rewritten)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, ssl=tls)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
