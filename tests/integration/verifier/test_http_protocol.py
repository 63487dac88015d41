"""HTTP as it really arrives: in pieces, in haste, too large, too slow, and wrong."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route as StarletteRoute

from keyturn_verifier.metrics import AnswerMetrics
from keyturn_verifier.web.application import Route, VerifierApplication
from keyturn_verifier.web.exchange import Reply, Request
from keyturn_verifier.web.protocol import MAX_HEADER_BYTES, MAX_HEADERS, HttpProtocol
from tests.support.waiting import wait_until


class HastyProtocol(HttpProtocol):
    """Times are short in these tests."""

    request_seconds = 0.4
    connection_limit = 60


@dataclass
class Served:
    """A running server, and what its one endpoint was asked."""

    port: int
    requests: list[Request]
    release: asyncio.Event
    server: uvicorn.Server

    async def exchange(self, *pieces: bytes, end: bool = False) -> bytes:
        """Everything it answers to these pieces until it closes, or for a moment."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.005)
        if end:
            writer.write_eof()
        answer = b""
        try:
            while received := await asyncio.wait_for(reader.read(65536), 0.2 if not end else 2):
                answer += received
        except TimeoutError:
            pass
        writer.close()
        return answer


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    requests: list[Request] = []
    release = asyncio.Event()
    release.set()

    async def echo(request: Request) -> Reply:
        requests.append(request)
        await release.wait()
        if request.query == b"fail":
            raise RuntimeError("a bug")
        return Reply(200, request.body, [(b"content-type", b"text/plain")])

    async def live(_: Any) -> PlainTextResponse:
        return PlainTextResponse("live")

    application = VerifierApplication(
        {"echo": Route(echo, ("POST", "GET", "HEAD"), 1000), "all/": Route(echo, None, 0)},
        Starlette(routes=[StarletteRoute("/health/live", live)]),
        AnswerMetrics(CollectorRegistry()),
    )
    config = uvicorn.Config(
        application, port=0, http=HastyProtocol, lifespan="off", log_config=None, proxy_headers=False
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server._serve())
    await wait_until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Served(port, requests, release, server)
    server.should_exit = True
    await asyncio.wait_for(task, 10)


def post(body: bytes, *headers: bytes, path: bytes = b"/realms/a/echo", length: int | None = None) -> bytes:
    lines = [b"POST " + path + b" HTTP/1.1", b"Host: x", b"Content-Length: %d" % (length or len(body))]
    return b"\r\n".join([*lines, *headers, b"", body])


async def test_a_request_in_single_bytes_is_one_request(served: Served) -> None:
    whole = post(b"hello")
    answer = await served.exchange(*(whole[i : i + 1] for i in range(30)), whole[30:])
    assert answer.endswith(b"\r\n\r\nhello")
    assert b"content-length: 5" in answer


async def test_a_chunked_body_is_put_together(served: Served) -> None:
    head = b"POST /realms/a/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert (await served.exchange(head, b"3\r\nabc\r\n", b"2\r\nde\r\n0\r\n\r\n")).endswith(b"abcde")


async def test_pipelined_requests_are_answered_in_order_on_one_connection(served: Served) -> None:
    answer = await served.exchange(post(b"first") + post(b"second") + post(b"third"))
    assert [answer.index(word) for word in (b"first", b"second", b"third")] == sorted(
        answer.index(word) for word in (b"first", b"second", b"third")
    )


async def test_too_many_pipelined_requests_are_refused(served: Served) -> None:
    served.release.clear()
    answer = await served.exchange(post(b"x") * 40)
    served.release.set()
    assert b"429 Too Many Requests" in answer
    assert len(served.requests) == 1


async def test_a_body_over_the_limit_is_refused_before_it_is_whole(served: Served) -> None:
    answer = await served.exchange(post(b"x" * 1001, length=10**9))
    assert answer.startswith(b"HTTP/1.1 413")
    assert served.requests == []


async def test_too_many_header_bytes_are_refused(served: Served) -> None:
    for request in (
        post(b"", b"X-A: " + b"a" * MAX_HEADER_BYTES),
        post(b"", *[b"X-%d: a" % number for number in range(8000)]),
        post(b"", path=b"/realms/a/echo?" + b"a" * MAX_HEADER_BYTES),
    ):
        assert (await served.exchange(request)).startswith(b"HTTP/1.1 431")
    assert served.requests == []


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"POST /realms/a/echo HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx",
        b"POST /realms/a/echo HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"POST /realms/a/echo HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET /realms/a/echo HTTP/1.1\r\nBad Header: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
async def test_what_is_not_http_is_refused_and_the_connection_closed(
    request_bytes: bytes, served: Served
) -> None:
    assert (await served.exchange(request_bytes, end=True)).startswith(b"HTTP/1.1 400")
    assert served.requests == []


async def test_a_request_that_does_not_arrive_in_time_is_given_up(served: Served) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(b"POST /realms/a/echo HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    answer = await asyncio.wait_for(reader.read(), 3)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408")


async def test_slow_callers_hold_nobody_else_up_and_are_all_given_up(served: Served) -> None:
    """Slowloris: many connections, each a byte of a header now and then, so that none is ever idle."""
    slow = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(50)]
    for _, writer in slow:
        writer.write(b"POST /realms/a/echo HTTP/1.1\r\nHost: x\r\nX-Slow: ")

    async def trickle() -> None:
        while True:
            for _, writer in slow:
                writer.write(b"x")
            await asyncio.sleep(0.05)

    trickling = asyncio.create_task(trickle())
    assert (await served.exchange(post(b"hello"))).endswith(b"hello")
    answers = await asyncio.wait_for(asyncio.gather(*(_read_to_end(reader) for reader, _ in slow)), 30)
    trickling.cancel()
    assert all(answer == b"" or answer.startswith(b"HTTP/1.1 408") for answer in answers)
    await wait_until(lambda: not served.server.server_state.connections)
    assert len(served.requests) == 1


async def test_a_caller_that_takes_no_answers_in_is_given_up(served: Served) -> None:
    """It sends requests and reads nothing: their answers must not be kept for ever."""
    _, writer = await asyncio.open_connection("127.0.0.1", served.port, limit=1024)
    sent = post(b"x" * 1000) * 10
    with contextlib.suppress(ConnectionError):
        while served.server.server_state.connections or not served.requests:
            writer.write(sent)
            await asyncio.sleep(0.001)
    await wait_until(lambda: not served.server.server_state.connections)
    writer.transport.abort()
    assert (await served.exchange(post(b"hello"))).endswith(b"hello")


async def test_more_connections_than_the_limit_are_turned_away_at_once(served: Served) -> None:
    held = []
    for _ in range(HastyProtocol.connection_limit):
        held.append(await asyncio.open_connection("127.0.0.1", served.port))
        held[-1][1].write(b"POST ")
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    answer = await asyncio.wait_for(_read_to_end(reader), 10)
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"retry-after: 1" in answer
    for _, each in [*held, (reader, writer)]:
        each.close()
    await wait_until(lambda: not served.server.server_state.connections)
    assert (await served.exchange(post(b"hello"))).endswith(b"hello")


async def test_too_many_headers_are_refused(served: Served) -> None:
    fields = [b"X-%d: a" % number for number in range(MAX_HEADERS)]
    assert (await served.exchange(post(b"", *fields))).startswith(b"HTTP/1.1 431")
    assert (await served.exchange(post(b"", *fields[:90]))).startswith(b"HTTP/1.1 200")


async def _read_to_end(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:
        return b""


async def test_a_connection_without_a_request_is_closed(served: Served) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    assert await asyncio.wait_for(reader.read(), 3) == b""
    writer.close()


async def test_a_client_that_expects_100_continue_gets_it_once(served: Served) -> None:
    head, _, body = post(b"hello", b"Expect: 100-continue").partition(b"\r\n\r\n")
    answer = await served.exchange(head + b"\r\n\r\n", body)
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


async def test_an_offer_of_another_protocol_is_passed_over(served: Served) -> None:
    """Java's HTTP client offers h2c with its first request."""
    upgrade = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAA")
    answer = await served.exchange(post(b"hello", *upgrade), post(b"again"))
    assert answer.count(b"HTTP/1.1 200 OK") == 2


async def test_head_has_the_headers_without_the_body(served: Served) -> None:
    answer = await served.exchange(b"HEAD /realms/a/all/x HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b"\r\n\r\n")


async def test_connection_close_and_http_1_0_are_honoured(served: Served) -> None:
    for request in (
        post(b"a", b"Connection: close"),
        b"GET /realms/a/all/x HTTP/1.0\r\n\r\n",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(request)
        assert b"connection: close" in await asyncio.wait_for(reader.read(), 0.3)
        writer.close()


async def test_a_bug_in_an_endpoint_is_a_500_and_the_connection_goes_on(served: Served) -> None:
    answer = await served.exchange(post(b"", path=b"/realms/a/echo?fail"), post(b"after"))
    assert answer.startswith(b"HTTP/1.1 500")
    assert answer.endswith(b"after")
    assert b"a bug" not in answer


async def test_paths_are_decoded_and_queries_passed_on(served: Served) -> None:
    await served.exchange(b"GET /realms/a%20b/all/x%2Fy?q=1 HTTP/1.1\r\nHost: x\r\n\r\n")
    await served.exchange(b"GET http://x/realms/c/echo HTTP/1.1\r\nHost: x\r\n\r\n")
    assert [(each.realm, each.path, each.query) for each in served.requests] == [
        ("a b", "/realms/a b/all/x/y", b"q=1"),
        ("c", "/realms/c/echo", b""),
    ]


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET /health/live", b"200 OK"),
        (b"GET /nothing", b"404 Not Found"),
        (b"GET /realms/a/nothing", b"404 Not Found"),
        (b"GET /realms//echo", b"404 Not Found"),
        (b"DELETE /realms/a/echo", b"405 Method Not Allowed"),
        (b"CONNECT a:443", b"405 Method Not Allowed"),
        (b"OPTIONS *", b"405 Method Not Allowed"),
        (b"POST /health/live", b"405 Method Not Allowed"),
    ],
)
async def test_every_path_has_an_answer(request_line: bytes, status: bytes, served: Served) -> None:
    answer = await served.exchange(request_line + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 " + status)


async def test_a_stop_waits_for_the_answer_under_way(served: Served) -> None:
    served.release.clear()
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(post(b"last words"))
    await wait_until(lambda: served.requests)
    served.server.should_exit = True
    await asyncio.sleep(0.15)
    served.release.set()
    answer = await asyncio.wait_for(reader.read(), 3)
    writer.close()
    assert answer.endswith(b"last words")
    assert b"connection: close" in answer


async def test_many_offers_of_another_protocol_at_once_are_refused_as_any_requests_are(
    served: Served,
) -> None:
    offer = b"GET /realms/a/echo HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n"
    problems: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
    with contextlib.suppress(ConnectionResetError):  # it closes before it has read everything
        await served.exchange(offer * 3000)
    assert not problems
