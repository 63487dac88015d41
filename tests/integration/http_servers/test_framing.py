"""One message stays one message, and an invalid one is refused, at the servers of all processes."""

import asyncio

import pytest

from tests.integration.http_servers.servers import PATH, Server, read_to_end
from tests.testkit.waiting import wait_until

TARGET = b"POST " + PATH + b" HTTP/1.1\r\nHost: a\r\n"
LAST = b"GET " + PATH + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
HIDDEN = b"DELETE " + PATH + b" HTTP/1.1\r\nHost: a\r\n\r\n"


def with_body(body: bytes, *fields: bytes) -> bytes:
    lines = b"".join(field + b"\r\n" for field in fields)
    return TARGET + lines + b"Content-Length: %d\r\n\r\n" % len(body) + body


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket", b"TLS/1.0", b"h2c, websocket"])
@pytest.mark.parametrize("option", [b"Upgrade", b"upgrade, HTTP2-Settings", b"keep-alive, Upgrade"])
async def test_a_body_behind_an_offer_of_another_protocol_is_no_request(
    server: Server, protocol: bytes, option: bytes
) -> None:
    sent = with_body(HIDDEN, b"Connection: " + option, b"Upgrade: " + protocol, b"HTTP2-Settings: AAA")
    answer = await server.exchange(sent + LAST)
    assert [(each.method, each.body) for each in server.seen] == [("POST", HIDDEN), ("GET", b"")]
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert b"101 " not in answer


async def test_chunks_behind_an_offer_of_another_protocol_are_no_request(server: Server) -> None:
    sent = TARGET + b"Connection: Upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = await server.exchange(sent, b"%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN), LAST)
    assert [(each.method, each.body) for each in server.seen] == [("POST", HIDDEN), ("GET", b"")]
    assert answer.count(b"HTTP/1.1 200 OK") == 2


@pytest.mark.parametrize(
    "trailer",
    [
        b"Client-Cert: :AAAA:",
        b"X-Forwarded-For: 192.0.2.1",
        b"Authorization: Basic eDp5",
        b"Content-Type: a/b",
    ],
)
async def test_a_trailer_is_no_field_of_the_head(server: Server, trailer: bytes) -> None:
    name = trailer.partition(b":")[0].lower()
    sent = TARGET + b"Trailer: " + name + b"\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n"
    await server.exchange(sent + trailer + b"\r\n\r\n" + LAST)
    assert [(each.method, each.body) for each in server.seen] == [("POST", b"hi"), ("GET", b"")]
    assert all(field != name for each in server.seen for field, _ in each.headers)


async def test_a_body_that_is_refused_is_not_asked_for(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """The refusal comes before the endpoint runs, which would send 100 Continue after it."""
    sent = TARGET + b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"
    answer = await server.exchange(sent)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_extensions_of_chunks_are_passed_over(server: Server) -> None:
    sent = TARGET + b'Transfer-Encoding: chunked\r\n\r\n2;a="b;c"\r\nhi\r\n0\r\n\r\n'
    await server.exchange(sent + LAST)
    assert [each.body for each in server.seen] == [b"hi", b""]


@pytest.mark.parametrize(
    "sent",
    [
        b"GET " + PATH + b"\r\n",
        b"GET " + PATH + b" HTTP/1.1\r\n\r\n",
        b"GET " + PATH + b" HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        b"GET " + PATH + b" HTTP/2.0\r\nHost: a\r\n\r\n",
        TARGET + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        TARGET + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        TARGET + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        TARGET + b"A: b\r\n c\r\n\r\n",
        TARGET + b"A : b\r\n\r\n",
        TARGET + b"A: b\rContent-Length: 3\r\n\r\n",
        TARGET + b"A: b\nContent-Length: 3\r\n\r\n",
        TARGET + b"A: \x00\r\n\r\n",
        TARGET + b"Transfer-Encoding: chunked\r\n\r\nx\r\n",
        TARGET + b"Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
        TARGET + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + HIDDEN,
    ],
    ids=range(15),
)
async def test_what_two_readers_could_take_differently_is_refused(server: Server, sent: bytes) -> None:
    answer = await server.exchange(sent + HIDDEN)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request")
    assert answer.count(b"HTTP/1.1") == 1
    assert server.seen == []


async def test_a_refusal_comes_after_the_answers_that_are_owed(server: Server) -> None:
    server.hold.clear()
    reader, writer = await server.connect()
    writer.write(with_body(b"first") + with_body(b"second") + b"GET /\r\n" + HIDDEN)
    await wait_until(lambda: server.seen)
    server.hold.set()
    answer = await read_to_end(reader)
    writer.close()
    assert [each.body for each in server.seen] == [b"first", b"second"]
    found = [answer.index(each) for each in (b"first", b"second", b"400 Bad Request")]
    assert found == sorted(found)


async def test_a_request_in_single_octets_is_one_request(server: Server) -> None:
    whole = with_body(b"hello", b"Connection: Upgrade", b"Upgrade: h2c", b"Connection: close")
    answer = await server.exchange(*(whole[at : at + 1] for at in range(len(whole))))
    assert answer.endswith(b"\r\n\r\nhello")
    assert len(server.seen) == 1


async def test_nothing_is_served_after_a_last_request(server: Server) -> None:
    answer = await server.exchange(LAST + HIDDEN)
    assert answer.count(b"HTTP/1.1") == 1
    assert [each.method for each in server.seen] == ["GET"]


async def test_a_refused_caller_that_still_sends_can_read_why(server: Server) -> None:
    reader, writer = await server.connect()
    writer.write(b"GET /\r\n" + b"x" * 100_000)
    await asyncio.sleep(0)
    assert (await read_to_end(reader)).startswith(b"HTTP/1.1 400 Bad Request")
    writer.close()
