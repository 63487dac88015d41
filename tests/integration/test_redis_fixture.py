"""The embedded Redis that tests and the local stack use."""

import asyncio

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_shared.redis_client import connect


async def test_it_starts_empty_and_answers(redis: Redis) -> None:
    assert await redis.dbsize() == 0
    await redis.set("left", "over")


async def test_the_next_test_finds_it_empty(redis: Redis) -> None:
    assert await redis.dbsize() == 0


async def test_it_asks_for_its_password(redis_server: EmbeddedRedis) -> None:
    client = connect(f"redis://127.0.0.1:{redis_server.port}/0")
    with pytest.raises(RedisError, match="authenticated"):
        await client.ping()
    await client.aclose()


async def test_a_paused_server_makes_a_call_run_into_its_time_limit(redis_server: EmbeddedRedis) -> None:
    client = connect(redis_server.url, answer_seconds=0.2)
    await client.ping()
    redis_server.pause()
    with pytest.raises((RedisError, asyncio.TimeoutError)):
        await client.ping()
    redis_server.resume()
    await client.aclose()


async def test_a_killed_server_starts_again_empty(redis_server: EmbeddedRedis, redis: Redis) -> None:
    await redis.set("a", "b")
    redis_server.kill()
    redis_server.start()
    client = connect(redis_server.url)
    assert await client.dbsize() == 0
    await client.aclose()
