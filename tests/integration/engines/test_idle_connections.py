"""Idle connections closed by Redis' own timeout, a load balancer or a firewall."""

import asyncio
import time
from pathlib import Path

import pytest
from redis.asyncio import Redis

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.registry import FleetRegistry
from keyturn_shared.fleet.replay import AssertionRegistry, AssertionUse
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.redis_client import connect
from tests.integration.engines.whole import whole
from tests.testkit.redis_reading import execute


async def close_idle(redis: Redis) -> None:
    """Close connections like ``timeout`` of redis.conf, except the caller's."""
    await execute(redis, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


async def test_a_change_that_nobody_asked_to_wait_for_is_waited_for_after_an_idle_time(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    async with whole(tmp_path, redis_url) as fleet:
        worker = await fleet.make_client("worker")
        former = await fleet.regenerate(worker)
        await close_idle(redis)
        changed = await fleet.api.call("POST", f"/acme/clients/{worker}/client-secret")
        assert changed.status_code == 200
        assert changed.headers["keyturn-fleet"] == "nodes=2, applied=2, fenced=0, pending=0"
        assert await fleet.by_secret("worker", former) == {401}


async def test_what_may_be_asked_twice_is_asked_again_whichever_connection_was_closed(
    redis: Redis, redis_url: str
) -> None:
    client = connect(redis_url)
    registry = FleetRegistry(RedisScripts(client))
    await asyncio.gather(*(registry.view() for _ in range(8)))
    for _ in range(3):
        await close_idle(redis)
        assert (await registry.view()).head is None
    await client.aclose()


async def test_a_mark_is_not_made_again_when_its_answer_was_lost(redis: Redis, redis_url: str) -> None:
    """The first attempt may have made it: the second one would look like a replay."""
    client = connect(redis_url)
    scripts = RedisScripts(client)
    await FleetRegistry(scripts).view()
    await close_idle(redis)
    with pytest.raises(RedisUnavailableError, match="claim_assertions"):
        await AssertionRegistry(scripts, 15.0).mark_used([AssertionUse(("c",), "j", 60.0, time.time())])
    await client.aclose()
