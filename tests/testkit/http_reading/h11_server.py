"""A reference server on h11 that only adds I/O."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import h11

from tests.testkit.http_reading.echo import FIELD, described, shortened
from tests.testkit.http_reading.stream import Message

_READ: Final = 65536


@asynccontextmanager
async def h11_echo() -> AsyncIterator[int]:
    """Run the server; yield its port."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await _serve(reader, writer)
        finally:
            writer.close()
            tasks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks.copy():
            task.cancel()


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=64 * 1024)
    while True:
        try:
            answered = await _answer(connection, reader, writer)
        except h11.RemoteProtocolError as error:
            if connection.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                # Like most users of h11: report the error, and close.
                fields = [("Connection", "close"), ("Content-Length", "0")]
                response = h11.Response(status_code=error.error_status_hint, headers=fields)
                writer.write(connection.send(response) + connection.send(h11.EndOfMessage()))
                await writer.drain()
            return
        if not answered or connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
            return
        connection.start_next_cycle()


async def _answer(
    connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    """Read one message and answer it. Return False at the end of the connection."""
    request, body = None, b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            if connection.they_are_waiting_for_100_continue:
                writer.write(connection.send(h11.InformationalResponse(status_code=100, headers=[])))
            connection.receive_data(await reader.read(_READ))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            break
        else:  # ConnectionClosed, or PAUSED after CONNECT
            return False
    assert request is not None
    target = _origin_form(request.target)
    names = frozenset(name for name, _ in request.headers)
    value = described(Message(request.method, target, shortened(body)), names)
    writer.write(
        connection.send(h11.Response(status_code=200, headers=[(FIELD, value), (b"Content-Length", b"2")]))
        or b""
    )
    if connection.our_state is h11.SWITCHED_PROTOCOL:  # CONNECT: it considers the tunnel established
        await writer.drain()
        return False
    if request.method != b"HEAD":
        writer.write(connection.send(h11.Data(data=b"OK")) or b"")
    writer.write(connection.send(h11.EndOfMessage()) or b"")
    await writer.drain()
    return True


def _origin_form(target: bytes) -> bytes:
    """Convert like an ASGI server: of the absolute form, the path (RFC 9112 3.2.2)."""
    if target[:7].lower() == b"http://":
        return b"/" + target[7:].partition(b"/")[2]
    return target
