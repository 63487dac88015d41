"""Connections are kept per host and policy, within limits, and never after a failure."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from keyturn_shared.network.addresses import read_networks
from keyturn_shared.network.fetcher import FetchPolicy, GuardedFetcher
from keyturn_shared.network.host_connections import IDLE_SECONDS, MAX_IDLE_HOSTS
from keyturn_shared.network.refusal import FetchRefused
from keyturn_shared.network.tls import client_context
from tests.integration.network.hostile_servers import GOOD_BODY, answer

POLICY = FetchPolicy(
    total_seconds=120, first_byte_seconds=60, allowed_networks=read_networks(["127.0.0.0/8"])
)
TLS = client_context()
GOOD = answer("200 OK", "Content-Type: application/json", body=GOOD_BODY)
EVIL_BODY = GOOD_BODY.replace(b"k1", b"xx")
EVIL = answer("200 OK", "Content-Type: application/json", body=EVIL_BODY)

Serve = Callable[["Server", asyncio.StreamWriter, int], Awaitable[None]]


async def good(_: "Server", writer: asyncio.StreamWriter, _number: int) -> None:
    writer.write(GOOD)


class Server:
    """Keeps connections open. ``serve`` answers the n-th request; ``open`` and ``made`` count connections."""

    def __init__(self, serve: Serve = good) -> None:
        self._serve = serve
        self._changed = asyncio.Condition()
        self._requests = 0
        self.made = 0
        self.open = 0
        self.port = 0

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.made += 1
        self.open += 1
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                self._requests += 1
                await self._serve(self, writer, self._requests)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the other side has ended
        finally:
            writer.close()
            async with self._changed:
                self.open -= 1
                self._changed.notify_all()

    async def left(self, count: int) -> None:
        """Wait until this many connections are open."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.open == count)


@contextlib.asynccontextmanager
async def running(
    serve: Serve = good, *, idle_seconds: float = IDLE_SECONDS
) -> AsyncIterator[tuple[Server, GuardedFetcher]]:
    state = Server(serve)
    server = await asyncio.start_server(state.connected, "0.0.0.0", 0)
    state.port = server.sockets[0].getsockname()[1]
    fetcher = GuardedFetcher(tls=TLS, idle_seconds=idle_seconds)
    try:
        async with asyncio.timeout(300):
            yield state, fetcher
            fetcher.close()
            await state.left(0)
    finally:
        fetcher.close()
        server.close()


async def fetch(
    fetcher: GuardedFetcher, server: Server, host: str = "127.0.0.1", path: str = "jwks"
) -> bytes:
    return (await fetcher.fetch(f"http://{host}:{server.port}/{path}", policy=POLICY)).body


async def test_two_fetches_of_one_host_use_one_connection() -> None:
    async with running() as (server, fetcher):
        assert (
            await fetch(fetcher, server, path="one") == await fetch(fetcher, server, path="two") == GOOD_BODY
        )
        assert server.made == 1


async def test_an_answer_that_nothing_has_changed_leaves_the_connection_of_use() -> None:
    async def unchanged(_: Server, writer: asyncio.StreamWriter, _number: int) -> None:
        writer.write(b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n')

    async with running(unchanged) as (server, fetcher):
        for _ in range(2):
            assert await fetch(fetcher, server) == b""
        assert server.made == 1


async def test_policies_that_allow_different_networks_share_no_connection() -> None:
    """Nor does a policy that no longer allows the address use an existing connection."""
    async with running() as (server, fetcher):
        url = f"http://127.0.0.1:{server.port}/jwks"
        for networks in (["127.0.0.0/8"], ["127.0.0.1/32"]):
            await fetcher.fetch(url, policy=FetchPolicy(allowed_networks=read_networks(networks)))
        assert server.made == 2
        with pytest.raises(FetchRefused) as refused:
            await fetcher.fetch(url, policy=FetchPolicy(allowed_networks=read_networks(["10.0.0.0/8"])))
        assert refused.value.reason == "address_not_allowed"


async def test_an_idle_connection_is_closed_after_a_while() -> None:
    async with running(idle_seconds=0.01) as (server, fetcher):
        await fetch(fetcher, server)
        await server.left(0)


async def test_connections_are_kept_for_a_bounded_number_of_hosts() -> None:
    async with running() as (server, fetcher):
        for number in range(MAX_IDLE_HOSTS + 3):
            await fetch(fetcher, server, host=f"127.0.2.{number + 1}")
        await server.left(MAX_IDLE_HOSTS)


async def test_a_few_connections_are_kept_of_a_host_that_was_asked_often_at_once() -> None:
    everybody = asyncio.Barrier(9)

    async def together(_: Server, writer: asyncio.StreamWriter, _number: int) -> None:
        await everybody.wait()
        writer.write(GOOD)

    async with running(together) as (server, fetcher):
        await asyncio.gather(*(fetch(fetcher, server, path=str(number)) for number in range(9)))
        await server.left(4)


async def test_a_connection_that_the_server_ended_meanwhile_is_replaced() -> None:
    async def once(_: Server, writer: asyncio.StreamWriter, _number: int) -> None:
        writer.write(GOOD)
        writer.close()

    async with running(once) as (server, fetcher):
        for _ in range(3):
            assert await fetch(fetcher, server) == GOOD_BODY
        assert server.made == 3


async def test_a_connection_that_the_server_ends_at_a_request_is_replaced_once() -> None:
    async def good_then_nothing(server: Server, writer: asyncio.StreamWriter, number: int) -> None:
        if number == 1 or number == 3:
            writer.write(GOOD)
        else:
            writer.close()

    async with running(good_then_nothing) as (server, fetcher):
        for _ in range(2):
            assert await fetch(fetcher, server) == GOOD_BODY
        with pytest.raises(FetchRefused) as refused:
            await fetch(fetcher, server)
        assert (refused.value.reason, server.made) == ("protocol_error", 3)


@pytest.mark.parametrize(
    "more",
    [
        EVIL,
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Swallowed: ",
        b"HTTP/1.1 200 ",
        b"\r\n",
    ],
    ids=["a whole answer", "a head", "the beginning of a head", "the beginning of a status line", "a line"],
)
@pytest.mark.parametrize("at_once", [True, False], ids=["in one piece", "later"])
async def test_what_is_sent_behind_an_answer_is_never_taken_for_the_next_one(
    more: bytes, at_once: bool
) -> None:
    """Other tenants of the host may answer under other paths."""
    sent = asyncio.Event()

    async def serve(_: Server, writer: asyncio.StreamWriter, number: int) -> None:
        if number > 1:
            writer.write(GOOD)
        elif at_once:
            writer.write(GOOD + more)
        else:
            writer.write(GOOD)
            await writer.drain()
            loop = asyncio.get_running_loop()
            loop.call_later(0.02, writer.write, more)
            loop.call_later(0.02, sent.set)

    async with running(serve) as (server, fetcher):
        assert await fetch(fetcher, server, path="evil") == GOOD_BODY
        if not at_once:
            await sent.wait()
        for _ in range(2):
            assert await fetch(fetcher, server, path="good") == GOOD_BODY


async def test_a_connection_with_a_failed_fetch_is_not_used_again() -> None:
    async def fails(_: Server, writer: asyncio.StreamWriter, number: int) -> None:
        writer.write(GOOD if number != 2 else answer("404 Not Found", body=b"{}"))

    async with running(fails) as (server, fetcher):
        await fetch(fetcher, server)
        with pytest.raises(FetchRefused):
            await fetch(fetcher, server)
        await server.left(0)
        await fetch(fetcher, server)
        assert server.made == 2


async def test_a_cancelled_fetch_closes_its_connection() -> None:
    asked = asyncio.Event()

    async def hangs(_: Server, _writer: asyncio.StreamWriter, _number: int) -> None:
        asked.set()

    async with running(hangs) as (server, fetcher):
        task = asyncio.create_task(fetch(fetcher, server))
        await asked.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await server.left(0)
