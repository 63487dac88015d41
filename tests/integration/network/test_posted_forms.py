"""A form is posted once, to checked addresses only, and its answer is limited like that of a fetch."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from keyturn_shared.network.addresses import read_networks
from keyturn_shared.network.fetcher import FetchPolicy, GuardedFetcher
from keyturn_shared.network.refusal import FetchRefused, Reason
from tests.integration.network.hostile_servers import answer

LOOPBACK = read_networks(["127.0.0.0/8"])
POLICY = FetchPolicy(total_seconds=60, first_byte_seconds=30, max_bytes=1000, allowed_networks=LOOPBACK)
JSON = "Content-Type: application/json"
FORM = {"code": "a&b=c", "name": "\N{SNOWMAN}"}


class Server:
    """Answers each request with ``answer``, nothing for empty octets; ``heads`` and ``bodies`` are what it
    was sent."""

    def __init__(self, text: bytes) -> None:
        self.answer = text
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self.url = ""

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        lengths = [
            line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("content-le")
        ]
        self.bodies.append(await reader.readexactly(int(lengths[0])))
        writer.write(self.answer)
        if not self.answer:
            writer.close()


@asynccontextmanager
async def running(text: bytes) -> AsyncIterator[tuple[Server, GuardedFetcher]]:
    state = Server(text)
    server = await asyncio.start_server(state.connected, "127.0.0.1", 0)
    state.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/token?a=b"
    fetcher = GuardedFetcher()
    try:
        yield state, fetcher
    finally:
        fetcher.close()
        server.close()


async def test_a_form_is_sent_with_its_authorization() -> None:
    async with running(answer("200 OK", JSON, body=b'{"a": 1}')) as (server, fetcher):
        result = await fetcher.post_form(server.url, FORM, policy=POLICY, authorization="Basic eA==")
        assert (result.status, result.body) == (200, b'{"a": 1}')
        lines = server.heads[0].split("\r\n")
        assert lines[0] == "POST /token?a=b HTTP/1.1"
        assert {"Authorization: Basic eA==", "Content-Type: application/x-www-form-urlencoded"} <= set(lines)
        assert server.bodies == [b"code=a%26b%3Dc&name=%E2%98%83"]


@pytest.mark.parametrize("status", ["400 Bad Request", "401 Unauthorized"])
async def test_an_error_in_json_is_an_answer(status: str) -> None:
    async with running(answer(status, JSON, body=b'{"error": "invalid_grant"}')) as (server, fetcher):
        result = await fetcher.post_form(server.url, FORM, policy=POLICY)
        assert (result.status, result.body) == (int(status[:3]), b'{"error": "invalid_grant"}')


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (answer("302 Found", "Location: http://127.0.0.1/"), Reason.REDIRECT),
        (answer("500 Internal Server Error", JSON, body=b"{}"), Reason.STATUS),
        (answer("200 OK", "Content-Type: text/html", body=b"<p>"), Reason.CONTENT_TYPE),
        (answer("400 Bad Request", "Content-Type: text/html", body=b"<p>"), Reason.CONTENT_TYPE),
        (answer("200 OK", JSON, body=b" " * 1001), Reason.TOO_LARGE),
        (b"", Reason.PROTOCOL_ERROR),
    ],
    ids=lambda given: given.value if isinstance(given, Reason) else "",
)
async def test_another_answer_is_refused_and_the_form_is_not_sent_again(text: bytes, reason: Reason) -> None:
    async with running(text) as (server, fetcher):
        with pytest.raises(FetchRefused) as refused:
            await fetcher.post_form(server.url, FORM, policy=POLICY)
        assert refused.value.reason is reason
        assert server.connections == 1


async def test_each_form_has_a_connection_of_its_own() -> None:
    async with running(answer("200 OK", JSON, body=b"{}")) as (server, fetcher):
        for _ in range(2):
            await fetcher.post_form(server.url, FORM, policy=POLICY)
        assert server.connections == 2


async def test_an_address_that_is_not_allowed_is_sent_nothing() -> None:
    async with running(b"") as (server, fetcher):
        with pytest.raises(FetchRefused) as refused:
            await fetcher.post_form(server.url, FORM, policy=FetchPolicy())
        assert refused.value.reason is Reason.ADDRESS_NOT_ALLOWED
        assert server.connections == 0
