"""Limits of a node's HTTP server: on sizes, on numbers, and on time."""

import asyncio
import socket
from functools import partial

import pytest

from keyturn_shared.http_server.heads import MAX_FIELDS, MAX_HEAD_BYTES
from keyturn_shared.http_server.messages import MAX_PIPELINED
from tests.integration.verifier.echo_server import (
    AT_ONCE,
    LIMIT,
    Served,
    post,
    read_to_end,
)
from tests.testkit.waiting import in_time, wait_until


async def test_too_many_pipelined_requests_are_refused(served: Served) -> None:
    """One is in progress, the maximum waits; the refusal comes after the pending answers."""
    served.release.clear()
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(post(b"x") * 40)
    await wait_until(lambda: served.requests)
    served.release.set()
    answer = await in_time(reader.read())
    writer.close()
    assert len(served.requests) == 1 + MAX_PIPELINED
    assert answer.count(b"HTTP/1.1 200 OK") == len(served.requests)
    assert answer.rpartition(b"HTTP/1.1 ")[2].startswith(b"429 Too Many Requests")


async def test_too_many_pipelined_requests_are_refused_also_if_they_need_no_waiting(served: Served) -> None:
    answer = await served.exchange(post(b"x", path=AT_ONCE) * 40)
    assert len(served.requests) == 1 + MAX_PIPELINED
    assert answer.count(b"HTTP/1.1 200 OK") == len(served.requests)
    assert answer.rpartition(b"HTTP/1.1 ")[2].startswith(b"429 Too Many Requests")


@pytest.mark.parametrize("path", [AT_ONCE, b"/realms/a/echo"])
async def test_a_caller_that_has_ended_its_input_gets_the_refusal_too(served: Served, path: bytes) -> None:
    served.release.clear()
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(post(b"x") + post(b"x", path=path) * 40)
    writer.write_eof()
    await wait_until(lambda: served.requests)
    for _ in range(100):  # the end arrives at the server
        await asyncio.sleep(0)
    served.release.set()
    answer = await in_time(reader.read())
    writer.close()
    assert answer.count(b"HTTP/1.1 200 OK") == len(served.requests) == 1 + MAX_PIPELINED
    assert answer.rpartition(b"HTTP/1.1 ")[2].startswith(b"429 Too Many Requests")


async def test_others_get_their_turn_between_requests_that_need_no_waiting(served: Served) -> None:
    seen: list[int] = []

    async def look() -> None:
        while len(served.requests) < MAX_PIPELINED:
            seen.append(len(served.requests))
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    answer = await served.exchange(post(b"x", path=AT_ONCE) * MAX_PIPELINED)
    await in_time(looking)
    assert answer.count(b"HTTP/1.1 200 OK") == MAX_PIPELINED
    assert set(seen) == set(range(MAX_PIPELINED))


async def test_a_body_over_the_limit_is_refused_before_it_is_whole(served: Served) -> None:
    answer = await served.exchange(post(b"x" * 1001, length=10**9))
    assert answer.startswith(b"HTTP/1.1 413")
    assert served.requests == []


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_that_nobody_says_to_be_of_is_refused_earlier_where_it_matters(
    served: Served, chunked: bool
) -> None:
    """An endpoint that authenticates its caller accepts more if the credentials are in the head."""

    def request(size: int, *headers: bytes) -> bytes:
        if not chunked:
            return post(b"x" * size, *headers, path=b"/realms/a/known")
        lines = [b"POST /realms/a/known HTTP/1.1", b"Host: x", b"Transfer-Encoding: chunked", *headers]
        return b"\r\n".join([*lines, b"", b"%x" % size, b"x" * size, b"0", b"", b""])

    assert (await served.exchange(request(100))).startswith(b"HTTP/1.1 200")
    assert (await served.exchange(request(101))).startswith(b"HTTP/1.1 413")
    known = b"authorization: Basic eDp5"
    assert (await served.exchange(request(1000, known))).startswith(b"HTTP/1.1 200")
    assert (await served.exchange(request(1001, known))).startswith(b"HTTP/1.1 413")


async def test_too_many_header_bytes_are_refused(served: Served) -> None:
    for request in (
        post(b"", b"X-A: " + b"a" * MAX_HEAD_BYTES),
        post(b"", *[b"X-%d: a" % number for number in range(8000)]),
        post(b"", path=b"/realms/a/echo?" + b"a" * MAX_HEAD_BYTES),
    ):
        assert (await served.exchange(request)).startswith(b"HTTP/1.1 431")
    assert served.requests == []


async def test_too_many_headers_are_refused(served: Served) -> None:
    fields = [b"X-%d: a" % number for number in range(MAX_FIELDS)]
    assert (await served.exchange(post(b"", *fields))).startswith(b"HTTP/1.1 431")
    assert (await served.exchange(post(b"", *fields[:90]))).startswith(b"HTTP/1.1 200")


async def test_a_request_that_does_not_arrive_in_time_is_given_up(hasty: Served) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", hasty.port)
    writer.write(b"POST /realms/a/echo HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    answer = await in_time(reader.read())
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("path", [b"/realms/a/echo", AT_ONCE])
async def test_a_request_has_no_more_time_behind_another_one(hasty: Served, path: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", hasty.port)
    writer.write(post(b"x", path=path) + b"POST /realms/a/echo HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    answer = await in_time(reader.read())
    writer.close()
    assert answer.count(b"HTTP/1.1 200 OK") == 1
    assert answer.count(b"HTTP/1.1 408") == 1


async def test_slow_callers_hold_nobody_else_up_and_are_all_given_up(hasty: Served) -> None:
    """Slowloris: many connections, each sending a byte of a header now and then, so that none is ever
    idle."""
    slow = [await asyncio.open_connection("127.0.0.1", hasty.port) for _ in range(50)]
    for _, writer in slow:
        writer.write(b"POST /realms/a/echo HTTP/1.1\r\nHost: x\r\nX-Slow: ")

    async def trickle() -> None:
        while True:
            for _, writer in slow:
                writer.write(b"x")
            await asyncio.sleep(0.05)

    trickling = asyncio.create_task(trickle())
    assert (await hasty.exchange(post(b"hello"))).endswith(b"hello")
    answers = await in_time(asyncio.gather(*(read_to_end(reader) for reader, _ in slow)))
    trickling.cancel()
    assert all(answer == b"" or answer.startswith(b"HTTP/1.1 408") for answer in answers)
    await wait_until(lambda: not hasty.server.connections)
    assert len(hasty.requests) == 1


async def test_a_caller_that_takes_no_answers_in_is_given_up(hasty: Served) -> None:
    """It sends requests and reads nothing: their answers must not be kept forever."""
    # Small buffers, so that few answers fill them.
    hasty.listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    caller = socket.socket()
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    caller.setblocking(False)
    await asyncio.get_running_loop().sock_connect(caller, ("127.0.0.1", hasty.port))
    _, writer = await asyncio.open_connection(sock=caller, limit=1024)
    connections = hasty.server.connections

    def answered(asked: int) -> bool:
        return len(hasty.requests) == asked or not connections

    await wait_until(lambda: connections)
    while connections:
        asked = len(hasty.requests) + MAX_PIPELINED
        writer.write(post(b"x" * 1000) * MAX_PIPELINED)
        await wait_until(partial(answered, asked))
    writer.transport.abort()
    assert (await hasty.exchange(post(b"hello"))).endswith(b"hello")


async def test_a_connection_without_a_request_is_closed(hasty: Served) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", hasty.port)
    assert await in_time(reader.read()) == b""
    writer.close()


async def test_more_connections_than_the_limit_are_turned_away_at_once(served: Served) -> None:
    held = []
    for _ in range(LIMIT):
        held.append(await asyncio.open_connection("127.0.0.1", served.port))
        held[-1][1].write(b"POST ")
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    answer = await in_time(read_to_end(reader))
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"retry-after: 1" in answer
    for _, each in [*held, (reader, writer)]:
        each.close()
    await wait_until(lambda: not served.server.connections)
    assert (await served.exchange(post(b"hello"))).endswith(b"hello")
