"""Refused authentications in Redis: the newest ones of a client, and no more than there is room for."""

import msgspec
import pytest
from redis.asyncio import Redis

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet import refusals
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.refusals import Refusal, RefusalRegistry
from keyturn_shared.redis_client import connect


def refusal(number: int, client_id: str = "orders") -> Refusal:
    return Refusal("acme", client_id, "wrong_secret", "client_secret_basic", "192.0.2.1", float(number))


async def test_the_newest_of_a_client_come_first(redis: Redis) -> None:
    registry = RefusalRegistry(redis)
    await registry.write([refusal(1), refusal(2, "billing"), refusal(3)])
    await registry.write([refusal(4)])
    assert [each.at for each in await registry.read("acme", "orders", most=2)] == [4.0, 3.0]
    assert [each.at for each in await registry.read("acme", "orders", most=10)] == [4.0, 3.0, 1.0]
    assert await registry.read("elsewhere", "orders", most=10) == []


async def test_those_of_a_client_are_found_behind_many_of_others(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "_PAGE", 10)
    registry = RefusalRegistry(redis)
    await registry.write([refusal(0), *(refusal(number, "billing") for number in range(1, 35))])
    assert [each.at for each in await registry.read("acme", "orders", most=1)] == [0.0]
    assert len(await registry.read("acme", "billing", most=34)) == 34


async def test_the_oldest_are_dropped(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "MAX_KEPT", 200)
    registry = RefusalRegistry(redis)
    for start in range(0, 1000, 100):
        await registry.write([refusal(number) for number in range(start, start + 100)])
    left = await registry.read("acme", "orders", most=1000)
    assert left[0].at == 999.0
    assert len(left) <= 200 + 100  # Redis trims whole blocks of a hundred entries
    assert 0 < await redis.ttl(Layout().refusals) <= refusals.KEPT_SECONDS


async def test_what_somebody_else_wrote_is_passed_over(redis: Redis) -> None:
    registry = RefusalRegistry(redis)
    await registry.write([refusal(1)])
    await redis.xadd(Layout().refusals, {"refusal": b"{}"})
    await redis.xadd(Layout().refusals, {"other": msgspec.json.encode(refusal(2))})
    assert [each.at for each in await registry.read("acme", "orders", most=10)] == [1.0]


async def test_redis_that_is_away_is_said_to_be() -> None:
    registry = RefusalRegistry(connect("redis://127.0.0.1:1"))
    with pytest.raises(RedisUnavailableError):
        await registry.write([refusal(1)])
    with pytest.raises(RedisUnavailableError):
        await registry.read("acme", "orders", most=1)
