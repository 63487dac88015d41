"""The proxy at the edges of a storm affects connections as its name says."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.testkit.tcp_proxy import TcpProxy, tcp_proxy

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionResetError):
        while data := await reader.read(4096):
            writer.write(data)
    writer.close()


@asynccontextmanager
async def _proxied() -> AsyncIterator[TcpProxy]:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    async with server, tcp_proxy(server.sockets[0].getsockname()[1]) as proxy:
        yield proxy


async def _connect(proxy: TcpProxy) -> Streams:
    return await asyncio.open_connection("127.0.0.1", proxy.port)


async def _ask(streams: Streams, text: bytes) -> bytes:
    reader, writer = streams
    writer.write(text)
    async with asyncio.timeout(60):
        return await reader.readexactly(len(text))


async def test_a_connection_that_is_cut_is_reset_and_so_are_new_ones_until_it_is_mended() -> None:
    async with _proxied() as proxy:
        before = await _connect(proxy)
        assert await _ask(before, b"one") == b"one"
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            await _ask(before, b"two")
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await _ask(await _connect(proxy), b"three")
        proxy.restore()
        assert await _ask(await _connect(proxy), b"four") == b"four"


async def test_only_a_connection_that_was_idle_is_closed() -> None:
    async with _proxied() as proxy:
        streams = await _connect(proxy)
        assert await _ask(streams, b"one") == b"one"
        proxy.cut_idle(3600)
        assert await _ask(streams, b"two") == b"two"
        proxy.cut_idle(0)
        with pytest.raises(ConnectionResetError):
            await _ask(streams, b"three")


async def test_what_is_sent_into_silence_arrives_when_that_ends() -> None:
    async with _proxied() as proxy:
        reader, writer = await _connect(proxy)
        proxy.fall_silent()
        writer.write(b"held back")
        answer = asyncio.create_task(reader.readexactly(9))
        await asyncio.sleep(0)
        assert not answer.done()
        proxy.restore()
        async with asyncio.timeout(60):
            assert await answer == b"held back"


async def test_a_client_is_not_told_that_its_peer_is_lost_and_a_new_connection_is_none_of_it() -> None:
    async with _proxied() as proxy:
        lost = await _connect(proxy)
        assert await _ask(lost, b"one") == b"one"
        proxy.lose_peers()
        lost[1].write(b"two")
        assert await _ask(await _connect(proxy), b"three") == b"three"
        heard = asyncio.create_task(lost[0].read(1))
        await asyncio.sleep(0)
        assert not heard.done()
        assert not lost[1].is_closing()
        heard.cancel()


async def test_delay_and_bandwidth_change_when_something_arrives_and_not_what() -> None:
    async with _proxied() as proxy:
        streams = await _connect(proxy)
        proxy.delay, proxy.bytes_per_second = 0.001, 1_000_000
        text = bytes(range(256)) * 40
        begun = asyncio.get_running_loop().time()
        assert await _ask(streams, text) == text
        assert asyncio.get_running_loop().time() - begun >= 0.02


async def test_it_leads_to_a_unix_socket_and_rewrites_what_the_server_says(tmp_path: Path) -> None:
    path = tmp_path / "echo"
    server = await asyncio.start_unix_server(_echo, str(path))
    async with server, tcp_proxy(path, rewritten={b"6379": b"7000"}) as proxy:
        assert await _ask(await _connect(proxy), b"port 6379") == b"port 7000"


async def test_a_reset_is_a_reset_and_no_orderly_end() -> None:
    async with _proxied() as proxy:
        with socket.create_connection(("127.0.0.1", proxy.port)) as plain:
            plain.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(plain, b"x")
            assert await loop.sock_recv(plain, 1) == b"x"
            proxy.cut()
            with pytest.raises(ConnectionResetError):
                await loop.sock_recv(plain, 1)
