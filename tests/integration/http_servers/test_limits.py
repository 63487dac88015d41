"""A caller that sends too much, too slowly or nothing is disconnected, and delays no other."""

import asyncio
import contextlib
import gc
import weakref
from collections.abc import AsyncIterator

import pytest

from keyturn_shared.http_server.connections import ConnectionLimits
from keyturn_shared.http_server.heads import MAX_FIELDS, MAX_HEAD_BYTES
from keyturn_shared.http_server.messages import MAX_PIPELINED
from tests.integration.http_servers.servers import PATH, Server, read_to_end, serving
from tests.testkit.tls import ServerTls
from tests.testkit.waiting import wait_until

HEAD = b"POST " + PATH + b" HTTP/1.1\r\nHost: a\r\n"
GOOD = HEAD + b"Content-Length: 2\r\n\r\nhi"
LAST = HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\nhi"
PLACES = 8
SHORT = 0.5


@pytest.fixture
async def hasty(kind: str, server_tls: ServerTls) -> AsyncIterator[Server]:
    """Times are short, and there are few places."""
    limits = ConnectionLimits(total=PLACES, per_address=PLACES)
    async with serving(kind, server_tls, limits=limits, seconds=SHORT) as running:
        yield running


@pytest.fixture
async def narrow(kind: str, server_tls: ServerTls) -> AsyncIterator[Server]:
    """Times are long, but there are few places."""
    limits = ConnectionLimits(total=PLACES, per_address=PLACES)
    async with serving(kind, server_tls, limits=limits) as running:
        yield running


async def test_an_endless_head_is_ended_once_it_is_too_large(server: Server) -> None:
    reader, writer = await server.connect()
    writer.write(HEAD + b"A: ")
    sent = 0
    with contextlib.suppress(ConnectionError):
        while sent < 1000 * MAX_HEAD_BYTES and not reader.at_eof() and not writer.is_closing():
            writer.write(b"a" * MAX_HEAD_BYTES)
            await writer.drain()
            await asyncio.sleep(0)
            sent += MAX_HEAD_BYTES
    answer = await read_to_end(reader)
    writer.close()
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431"), "a caller that goes on may miss the answer"
    assert sent < 1000 * MAX_HEAD_BYTES
    await wait_until(lambda: len(server.table) == 0)
    assert server.seen == []


@pytest.mark.parametrize(
    "sent",
    [
        HEAD + b"A: " + b"a" * MAX_HEAD_BYTES,
        HEAD + b"A: b\r\n" * MAX_FIELDS + b"\r\n",
        b"GET /" + b"a" * MAX_HEAD_BYTES,
    ],
    ids=["one field", "many fields", "target"],
)
async def test_a_head_that_is_too_large_is_refused(server: Server, sent: bytes) -> None:
    assert (await server.exchange(sent)).startswith(b"HTTP/1.1 431")
    assert server.seen == []


@pytest.mark.parametrize("begun", [b"G", b"GET / HTTP/1.1\r\nA: ", HEAD], ids=["octet", "field", "head"])
async def test_a_head_that_does_not_end_is_ended(hasty: Server, begun: bytes) -> None:
    assert (await hasty.exchange(begun)).startswith(b"HTTP/1.1 408")


async def test_a_head_that_drips_is_ended_as_if_it_did_not(hasty: Server) -> None:
    reader, writer = await hasty.connect()
    writer.write(HEAD + b"A: ")

    async def drip() -> None:
        while True:
            writer.write(b"a")
            await asyncio.sleep(SHORT / 20)

    dripping = asyncio.create_task(drip())
    answer = await read_to_end(reader)
    dripping.cancel()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408")


async def test_a_body_that_does_not_come_is_ended(hasty: Server) -> None:
    bodies = (b"Content-Length: 10\r\n\r\nhal", b"Transfer-Encoding: chunked\r\n\r\n3\r\nhal")
    for answer in await asyncio.gather(*(hasty.exchange(HEAD + body) for body in bodies)):
        assert answer.startswith(b"HTTP/1.1 408")
    assert hasty.seen == []


async def test_too_many_requests_that_wait_on_one_connection_are_refused(server: Server) -> None:
    server.hold.clear()
    reader, writer = await server.connect()
    writer.write(GOOD * 1000)
    await wait_until(lambda: server.seen)
    server.hold.set()
    answer = await read_to_end(reader)
    writer.close()
    assert len(server.seen) <= 2 + MAX_PIPELINED
    assert answer.count(b"HTTP/1.1 200 OK") == len(server.seen)
    assert answer.rpartition(b"HTTP/1.1 ")[2].startswith(b"429 Too Many Requests")


async def test_a_connection_without_a_request_is_ended(hasty: Server) -> None:
    reader, writer = await hasty.connect()
    assert await read_to_end(reader) == b""
    writer.close()


async def test_a_caller_that_takes_nothing_in_is_ended(hasty: Server) -> None:
    """Each answer is as large as its request, and none is read."""
    _, writer = await hasty.connect()
    body = b"x" * 900_000
    request = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with contextlib.suppress(ConnectionError):
        for _ in range(100):
            writer.write(request)
            await writer.drain()
            if not len(hasty.table):
                break
    await wait_until(lambda: len(hasty.table) == 0)
    writer.transport.abort()
    assert len(hasty.seen) < 100


async def test_idle_connections_give_way_to_one_that_asks(narrow: Server) -> None:
    held = [await narrow.connect() for _ in range(PLACES)]
    assert (await narrow.exchange(LAST)).startswith(b"HTTP/1.1 200 OK")
    assert await read_to_end(held[0][0]) == b"", "the longest idle one went"
    assert narrow.table.gave_way == 1
    for _, writer in held:
        writer.close()


async def test_connections_that_were_used_give_way_too(narrow: Server) -> None:
    held = [await narrow.connect() for _ in range(PLACES)]
    for reader, writer in held:
        writer.write(GOOD)
        await reader.readuntil(b"\r\n\r\nhi")
    for _ in range(3):
        assert (await narrow.exchange(LAST)).startswith(b"HTTP/1.1 200 OK")
    assert narrow.table.turned_away == 0
    for _, writer in held:
        writer.close()


async def test_when_every_connection_is_busy_one_more_is_turned_away(narrow: Server, kind: str) -> None:
    held = [await narrow.connect() for _ in range(PLACES)]
    for _, writer in held:
        writer.write(b"POST ")
    await wait_until(lambda: narrow.table.idle == 0)
    if kind.endswith("TLS"):
        with pytest.raises((ConnectionError, OSError)):
            await narrow.connect()
    else:
        reader, writer = await narrow.connect()
        answer = await read_to_end(reader)
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 1" in answer
        writer.close()
    assert narrow.table.turned_away == 1
    for _, writer in held:
        writer.close()
    await wait_until(lambda: len(narrow.table) == 0)
    assert (await narrow.exchange(LAST)).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("kind", ["node with TLS", "ASGI with TLS"])
@pytest.mark.parametrize("begun", [b"", b"\x16\x03\x01\x02\x00\x01\x00"], ids=["never begun", "never ended"])
async def test_a_handshake_that_is_not_made_is_ended(hasty: Server, begun: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", hasty.port)
    writer.write(begun)
    await wait_until(lambda: len(hasty.table) == 1)
    assert await read_to_end(reader) == b""
    writer.close()
    await wait_until(lambda: len(hasty.table) == 0)


@pytest.mark.parametrize("kind", ["node with TLS", "ASGI with TLS"])
async def test_connections_without_a_handshake_count_and_give_way(narrow: Server) -> None:
    held = [await asyncio.open_connection("127.0.0.1", narrow.port) for _ in range(PLACES)]
    await wait_until(lambda: len(narrow.table) == PLACES)
    assert (await narrow.exchange(LAST)).startswith(b"HTTP/1.1 200 OK")
    assert narrow.table.gave_way == 1
    for _, writer in held:
        writer.close()
    await wait_until(lambda: len(narrow.table) == 0)


@pytest.mark.parametrize("kind", ["node with TLS", "ASGI with TLS"])
async def test_what_is_no_handshake_ends_the_connection(narrow: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", narrow.port)
    writer.write(GOOD)
    assert b"HTTP/1.1" not in await read_to_end(reader)
    writer.close()
    await wait_until(lambda: len(narrow.table) == 0)
    assert narrow.seen == []


@pytest.mark.parametrize("kind", ["node", "node with TLS"])
async def test_a_connection_that_is_over_leaves_nothing_to_the_collector(server: Server) -> None:
    """A node rarely collects cyclic garbage, so the memory of ended connections must not wait for it."""
    gc.collect()
    gc.disable()
    try:
        seen = weakref.WeakSet[object]()
        for sent in (LAST, b"GET /\r\n", GOOD + LAST):
            reader, writer = await server.connect()
            await wait_until(lambda: len(server.table) == 1)
            seen.update(server.table.connections())
            writer.write(sent)
            await read_to_end(reader)
            writer.close()
            await wait_until(lambda: len(server.table) == 0)
        await wait_until(lambda: not seen)
    finally:
        gc.enable()


async def test_a_connection_that_has_been_idle_for_its_time_is_closed(
    kind: str, server_tls: ServerTls
) -> None:
    """Not before its answer, even though the time for another request's head is not over."""
    async with serving(kind, server_tls, idle=1) as running:
        reader, writer = await running.connect()
        writer.write(GOOD)
        answer = await read_to_end(reader)
        writer.close()
        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.count(b"HTTP/1.1") == 1, "nothing is said at the end of an idle connection"
        await wait_until(lambda: len(running.table) == 0)
