"""Every process refuses oversized input before it is complete, says so, and continues."""

import asyncio
import contextlib
import ssl

import pytest

from keyturn.stack.gateway import BODY_BYTES
from keyturn_shared.http_server.heads import MAX_FIELDS, MAX_HEAD_BYTES
from tests.testkit.http_edges import NAMES, Edge

SECONDS = 60
GOOD = b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


GOES_ON_READING = [name for name in NAMES if name != "credentials"]
"""The credentials service refuses strangers before it reads any body."""


@pytest.fixture(params=NAMES)
def edge(request: pytest.FixtureRequest, edges: dict[str, Edge]) -> Edge:
    return edges[request.param]


async def exchange(edge: Edge, sent: bytes) -> bytes:
    """Return the whole answer, whether the process has read everything or not."""
    name = None if edge.tls is None else "127.0.0.1"
    async with asyncio.timeout(SECONDS):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", edge.port, ssl=edge.tls, server_hostname=name
        )
        answer = b""
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            writer.write(sent)
            while received := await reader.read(65_536):
                answer += received
                if writer.can_write_eof():  # enough is sent; nginx would wait for more
                    writer.write_eof()
        writer.close()
    return answer


async def is_refused(edge: Edge, sent: bytes, status: int) -> None:
    answer = await exchange(edge, sent)
    assert answer.startswith(b"HTTP/1.1 %d" % status), answer[:200]
    assert (await exchange(edge, GOOD)).startswith(b"HTTP/1.1 200"), "others are served as before"


async def test_a_head_that_is_too_large_is_refused_before_its_end(edge: Edge) -> None:
    """The head has no end: what has come is enough to refuse it."""
    endless = b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * (2 * MAX_HEAD_BYTES)
    await is_refused(edge, endless, 431)


async def test_more_fields_than_there_may_be_are_refused(edge: Edge) -> None:
    fields = b"".join(b"X-%d: a\r\n" % number for number in range(MAX_FIELDS + 10))
    head = b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    await is_refused(edge, head + fields + b"\r\n", 431)


@pytest.mark.parametrize("name", NAMES)
async def test_a_body_that_is_announced_as_too_large_is_refused_before_it_comes(
    edges: dict[str, Edge], name: str
) -> None:
    edge = edges[name]
    head = b"POST " + edge.path + b" HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (BODY_BYTES + 1)
    await is_refused(edge, head, 413)


@pytest.mark.parametrize("name", GOES_ON_READING)
async def test_a_body_that_turns_out_too_large_is_refused_before_its_end(
    edges: dict[str, Edge], name: str
) -> None:
    edge = edges[name]
    head = b"POST " + edge.path + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + b"a" * 65_536 + b"\r\n"
    await is_refused(edge, head + chunk * (BODY_BYTES // 65_536 + 2), 413)


async def test_who_brings_no_token_is_answered_before_the_body(edges: dict[str, Edge]) -> None:
    """The body never comes here."""
    edge = edges["credentials"]
    async with asyncio.timeout(SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
        writer.write(b"POST " + edge.path + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
        answer = await reader.readuntil(b"\r\n\r\n")
        writer.close()
    assert answer.startswith(b"HTTP/1.1 401")


async def test_a_request_that_does_not_come_in_time_is_given_up(edges: dict[str, Edge]) -> None:
    """By each process, before an idle connection would be closed."""
    begun = dict.fromkeys(NAMES, b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-A: ")
    answers = await asyncio.gather(*(exchange(edges[name], sent) for name, sent in begun.items()))
    for name, answer in zip(begun, answers, strict=True):
        assert answer == b"" or answer.startswith(b"HTTP/1.1 408"), (name, answer[:200])


async def test_a_handshake_that_is_not_made_is_given_up(edges: dict[str, Edge]) -> None:
    """The handshake may have begun or not."""
    port = edges["node with TLS"].port
    begun = (b"", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    answers = await asyncio.gather(*(exchange(Edge(port, b""), octets) for octets in begun))
    assert answers == [b"", b""]
