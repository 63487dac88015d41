"""The limits on connections hold over all workers."""

import asyncio

from tests.integration.workers.several_workers import Caller, start_node
from tests.testkit.filled_redis import Filling
from tests.testkit.processes import Processes
from tests.testkit.waiting import in_time, wait_until

_HALF = (
    b"POST /realms/acme/verify HTTP/1.1\r\nHost: node\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n"
)


async def _busy(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection with a request that does not end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_HALF)
    assert b"100" in await in_time(reader.readline())
    return reader, writer


async def test_an_idle_connection_gives_way_and_without_one_the_next_is_refused(
    filling: Filling, redis_url: str, processes: Processes
) -> None:
    node = await start_node(
        processes, filling, redis_url, KEYTURN_CONNECTION_LIMIT="6", KEYTURN_REQUEST_SECONDS="60"
    )

    async def open_now(count: int) -> bool:
        page = await node.page()
        return sum(value for name, _, value in page if name == "keyturn_worker_connections") == count

    await wait_until(lambda: open_now(1))
    idle = [node.caller() for _ in range(5)]
    for caller in idle:
        assert (await caller.get("/health/live"))[0] == 200
    await wait_until(lambda: open_now(6))
    busy = [await _busy(node.port) for _ in range(6)]
    for caller in idle:
        await in_time(_until_closed(caller))
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
    answer = await in_time(reader.read())
    assert answer.startswith(b"HTTP/1.1 503")
    for _, each in [*busy, (reader, writer)]:
        each.close()


async def test_an_address_has_its_limit_over_all_workers(
    filling: Filling, redis_url: str, processes: Processes
) -> None:
    node = await start_node(processes, filling, redis_url, KEYTURN_REQUEST_SECONDS="60")
    limited = await start_node(
        processes,
        filling,
        redis_url,
        KEYTURN_NODE_ID="node-b",
        KEYTURN_CONNECTIONS_PER_ADDRESS="4",
        KEYTURN_TRUSTED_PROXIES="192.0.2.0/24",
        KEYTURN_REQUEST_SECONDS="60",
    )
    for port, refused in ((node.port, False), (limited.port, True)):
        busy = [await _busy(port) for _ in range(4)]
        fifth = Caller(port)
        status, _ = await fifth.get("/health/live")
        assert (status == 503) is refused
        fifth.close()
        for _, writer in busy:
            writer.close()


async def _until_closed(caller: Caller) -> None:
    """Wait until the node closes the connection. Raises AssertionError if it sends anything."""
    assert await caller.rest() == b""
