"""For any answer of a server, an attempt ends in time, for the expected reason, and takes no key from it."""

import asyncio
import tracemalloc

import pytest
from redis.asyncio import Redis

from tests.integration.network.attempting import attempt, serving
from tests.integration.network.hostile_servers import GOOD_BODY, HOSTILE_SERVERS, MIB, HostileServer, answer
from tests.testkit.waiting import in_time


@pytest.mark.parametrize("hostile", HOSTILE_SERVERS, ids=lambda hostile: hostile.attack)
async def test_an_answer_that_is_not_what_it_should_be_is_refused(
    redis: Redis, hostile: HostileServer
) -> None:
    async with serving(hostile.serve) as port:
        record = await in_time(attempt(redis, f"http://127.0.0.1:{port}/jwks"))
    assert (record.failure, record.keys) == (hostile.reason, ())


async def test_a_bomb_takes_no_more_memory_than_its_limit(redis: Redis) -> None:
    """16 MiB in 16 KiB: unpacking stops at 256 KiB."""
    bomb = next(each for each in HOSTILE_SERVERS if each.attack.startswith("gzip bomb, 16 MiB"))
    tracemalloc.start()
    try:
        async with serving(bomb.serve) as port:
            await attempt(redis, f"http://127.0.0.1:{port}/jwks")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 8 * MIB


@pytest.mark.parametrize(
    "media_type",
    [
        "application/jwk-set+json",
        "text/plain; charset=utf-8",
        "application/octet-stream",
        "binary/octet-stream",
    ],
)
async def test_a_good_server_is_understood_by_the_same_means(redis: Redis, media_type: str) -> None:
    """Otherwise everything might be refused. Object stores call everything octets."""

    async def serve(writer: asyncio.StreamWriter) -> None:
        writer.write(answer("200 OK", f"Content-Type: {media_type}", body=GOOD_BODY))
        await writer.drain()

    async with serving(serve) as port:
        record = await attempt(redis, f"http://127.0.0.1:{port}/jwks")
    assert record.failure is None
    assert [key["kid"] for key in record.keys] == ["k1"]
