"""Whatever a server answers, an attempt ends in time, for the expected reason, and takes no key from it."""

import time
import tracemalloc

import pytest
from redis.asyncio import Redis

from tests.integration.network.attempting import POLICY, attempt, serving
from tests.integration.network.hostile_servers import GOOD_BODY, HOSTILE_SERVERS, MIB, HostileServer, answer


@pytest.mark.parametrize("hostile", HOSTILE_SERVERS, ids=lambda hostile: hostile.attack)
async def test_an_answer_that_is_not_what_it_should_be_is_refused(
    redis: Redis, hostile: HostileServer
) -> None:
    began = time.monotonic()
    async with serving(hostile.serve) as port:
        record = await attempt(redis, f"http://127.0.0.1:{port}/jwks")
    assert (record.failure, record.keys) == (hostile.reason, ())
    assert time.monotonic() - began < POLICY.fetch_timeout + 20  # far from it, for a busy machine


async def test_a_bomb_takes_no_more_memory_than_its_limit(redis: Redis) -> None:
    """64 MiB in 64 KiB: what is unpacked ends at 256 KiB."""
    bomb = next(each for each in HOSTILE_SERVERS if each.attack.startswith("gzip bomb, 64 MiB"))
    tracemalloc.start()
    try:
        async with serving(bomb.serve) as port:
            await attempt(redis, f"http://127.0.0.1:{port}/jwks")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 8 * MIB


async def test_a_good_server_is_understood_by_the_same_means(redis: Redis) -> None:
    """Or else everything would be refused."""

    async def serve(writer) -> None:  # type: ignore[no-untyped-def]
        writer.write(answer("200 OK", "Content-Type: application/jwk-set+json", body=GOOD_BODY))
        await writer.drain()

    async with serving(serve) as port:
        record = await attempt(redis, f"http://127.0.0.1:{port}/jwks")
    assert record.failure is None
    assert [key["kid"] for key in record.keys] == ["k1"]
