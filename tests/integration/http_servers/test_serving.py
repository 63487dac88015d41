"""The server and its ASGI connections: stopping, failing applications, bodies that nobody waited for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from structlog.testing import capture_logs

from keyturn_shared.http_server.asgi_connection import AsgiConnection
from keyturn_shared.http_server.connections import ConnectionLimits, ConnectionTable
from keyturn_shared.http_server.server import HttpServer
from keyturn_shared.http_server.serving import configured, listen
from tests.testkit.waiting import in_time

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
END = {"type": "http.response.body", "body": b"ok"}

Application = Callable[[Any, Any, Any], Awaitable[None]]


@dataclass
class Served:
    server: HttpServer
    table: ConnectionTable
    port: int
    ended: asyncio.Task[None]

    async def ask(self, octets: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(octets)
        return reader, writer


@asynccontextmanager
async def serving(
    application: Application, *, drain_seconds: float = 60.0, idle_seconds: float = 0.0
) -> AsyncIterator[Served]:
    table = ConnectionTable(ConnectionLimits())
    connection = configured(AsgiConnection, table=table, head_seconds=60.0, body_seconds=60.0)
    server = HttpServer(application, connection, drain_seconds=drain_seconds, idle_drain_seconds=idle_seconds)
    with listen("127.0.0.1", 0) as listening:
        ended = asyncio.create_task(server.serve(listening))
        yield Served(server, table, listening.getsockname()[1], ended)
        server.stop()
        await in_time(ended)


class Held:
    """An application that answers once it is released. ``cancelled``: its request was."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.release = asyncio.Event()
        self.cancelled = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.set()
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        await send(START)
        await send(END)


async def test_a_stop_waits_for_the_response_in_progress_and_announces_the_end() -> None:
    held = Held()
    async with serving(held) as served:
        reader, writer = await served.ask(GET)
        await in_time(held.asked.wait())
        served.server.stop()
        await asyncio.sleep(0)
        assert not served.ended.done()
        held.release.set()
        answer = await in_time(reader.read())
        writer.close()
        await in_time(served.ended)
    assert answer.endswith(b"\r\n\r\nok")
    assert b"connection: close" in answer.lower()


async def test_an_idle_connection_closes_when_the_server_stops() -> None:
    held = Held()
    held.release.set()
    async with serving(held) as served:
        reader, writer = await served.ask(GET)
        assert await in_time(reader.readuntil(b"\r\n\r\nok"))
        served.server.stop()
        assert await in_time(reader.read()) == b""
        writer.close()
        await in_time(served.ended)


async def test_a_request_on_its_way_while_the_server_stops_is_answered_with_the_end_of_its_connection() -> (
    None
):
    held = Held()
    held.release.set()
    async with serving(held, idle_seconds=60.0) as served:
        reader, writer = await served.ask(GET)
        assert await in_time(reader.readuntil(b"\r\n\r\nok"))
        served.server.stop()
        writer.write(GET)
        answer = await in_time(reader.read())
        writer.close()
        await in_time(served.ended)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in answer.lower()


@pytest.mark.parametrize("idle_seconds", [0.0, 0.01])
async def test_a_stop_does_not_wait_for_a_connection_on_which_no_request_comes(idle_seconds: float) -> None:
    held = Held()
    async with serving(held, idle_seconds=idle_seconds) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        served.server.stop()
        assert await in_time(reader.read()) == b""
        writer.close()
        await in_time(served.ended)


async def test_the_first_stop_is_told_once() -> None:
    told: list[str] = []
    connection = configured(AsgiConnection, table=ConnectionTable(ConnectionLimits()))
    server = HttpServer(Held(), connection, drain_seconds=1.0, on_stop=lambda: told.append("stopped"))
    with listen("127.0.0.1", 0) as listening:
        ended = asyncio.create_task(server.serve(listening))
        await asyncio.sleep(0)
        assert told == []
        server.stop()
        server.stop()
        await in_time(ended)
    assert told == ["stopped"]


async def test_a_second_stop_does_not_wait_for_idle_connections() -> None:
    held = Held()
    held.release.set()
    async with serving(held, idle_seconds=3600.0, drain_seconds=3600.0) as served:
        _, writer = await served.ask(GET)
        await in_time(held.asked.wait())
        served.server.stop()
        served.server.stop()
        await in_time(served.ended)
        writer.close()


@pytest.mark.parametrize("by", ["a second stop", "the time for it"])
async def test_requests_are_cancelled_after(by: str) -> None:
    held = Held()
    async with serving(held, drain_seconds=3600.0 if by == "a second stop" else 0.01) as served:
        reader, writer = await served.ask(GET)
        await in_time(held.asked.wait())
        served.server.stop()
        if by == "a second stop":
            served.server.stop()
        await in_time(served.ended)
        assert held.cancelled
        assert (await in_time(reader.read())).startswith(b"HTTP/1.1 500 ")
        writer.close()


async def _fail_at_once(scope: Any, receive: Any, send: Any) -> None:
    raise RuntimeError("a bug")


async def _fail_in_its_response(scope: Any, receive: Any, send: Any) -> None:
    await send(START)
    raise RuntimeError("a bug")


async def _say_nothing(scope: Any, receive: Any, send: Any) -> None:
    pass


async def _send_out_of_turn(scope: Any, receive: Any, send: Any) -> None:
    await send(END)


@pytest.mark.parametrize(
    ("application", "begins", "ends", "logged"),
    [
        (_fail_at_once, b"HTTP/1.1 500 ", b'{"error":"Internal Server Error"}', True),
        (_fail_in_its_response, b"HTTP/1.1 200 ", b"\r\n\r\n", True),
        (_say_nothing, b"HTTP/1.1 500 ", b'{"error":"Internal Server Error"}', False),
        (_send_out_of_turn, b"HTTP/1.1 500 ", b'{"error":"Internal Server Error"}', True),
    ],
)
async def test_an_application_without_a_complete_response_costs_its_connection_alone(
    application: Application, begins: bytes, ends: bytes, logged: bool
) -> None:
    with capture_logs() as logs:
        async with serving(application) as served:
            for _ in range(2):
                reader, writer = await served.ask(GET)
                answer = await in_time(reader.read())
                writer.close()
                assert answer.startswith(begins)
                assert answer.endswith(ends)
    assert [log["event"] for log in logs] == ["request_failed"] * 2 * logged


async def test_a_body_that_the_response_did_not_wait_for_is_discarded_and_the_next_request_answered() -> None:
    async def early(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(END)

    async with serving(early) as served:
        reader, writer = await served.ask(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n")
        assert await in_time(reader.readuntil(b"\r\n\r\nok"))
        writer.write(b"x" * 200_000 + GET)
        assert (await in_time(reader.readuntil(b"\r\n\r\nok"))).startswith(b"HTTP/1.1 200 ")
        assert served.table.idle == 1
        writer.close()


async def test_a_body_is_read_no_faster_than_the_application_takes_it() -> None:
    release = asyncio.Event()
    sizes = []

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await release.wait()
        more = True
        while more:
            message = await receive()
            sizes.append(len(message["body"]))
            more = message["more_body"]
        await send(START)
        await send(END)

    size = 8 * 1024 * 1024
    async with serving(slow) as served:
        reader, writer = await served.ask(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size)
        writer.write(b"x" * size)
        for _ in range(1000):  # what it would read, it reads now
            await asyncio.sleep(0)
        release.set()
        assert await in_time(reader.readuntil(b"\r\n\r\nok"))
        writer.close()
    assert sum(sizes) == size
    assert max(sizes) < 1024 * 1024


async def test_a_caller_that_is_gone_is_told_to_the_application() -> None:
    told: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def listen_on(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        told.set_result((await receive())["type"])

    async with serving(listen_on) as served:
        _, writer = await served.ask(GET)
        writer.close()
        assert await in_time(told) == "http.disconnect"
