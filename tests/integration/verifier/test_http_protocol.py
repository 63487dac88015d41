"""Realistic HTTP: in pieces, pipelined, with upgrades, and invalid."""

import asyncio
import contextlib
from typing import Any

import pytest

from tests.integration.verifier.echo_server import (
    Served,
    post,
)
from tests.testkit.waiting import in_time, wait_until


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
    assert (await served.exchange(request_bytes)).startswith(b"HTTP/1.1 400")
    assert served.requests == []


async def test_a_client_that_expects_100_continue_gets_it_once(served: Served) -> None:
    head, _, body = post(b"hello", b"Expect: 100-continue").partition(b"\r\n\r\n")
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(head + b"\r\n\r\n")
    assert await in_time(reader.readuntil(b"\r\n\r\n")) == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(body)
    writer.write_eof()
    assert (await in_time(reader.read())).startswith(b"HTTP/1.1 200 OK")
    writer.close()


async def test_an_offer_of_another_protocol_is_passed_over(served: Served) -> None:
    """Java's HTTP client offers h2c with its first request."""
    upgrade = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAA")
    answer = await served.exchange(post(b"hello", *upgrade), post(b"again"))
    assert answer.count(b"HTTP/1.1 200 OK") == 2


async def test_head_has_the_headers_without_the_body(served: Served) -> None:
    answer = await served.exchange(b"HEAD /realms/a/all/x HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("sent", [post(b"a", b"Connection: close"), b"GET /realms/a/all/x HTTP/1.0\r\n\r\n"])
async def test_connection_close_and_http_1_0_are_honoured(served: Served, sent: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(sent)
    assert b"connection: close" in await in_time(reader.read())
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
    served.server.stop()
    await asyncio.sleep(0.15)
    served.release.set()
    answer = await in_time(reader.read())
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
