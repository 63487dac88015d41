"""The settings of a real Redis are read, logged and exported."""

from time import monotonic

from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_credentials.relay.redis_check import RedisCheck
from keyturn_shared.redis_client import connect


async def test_what_is_wrong_is_shown_until_it_is_mended(redis: Redis) -> None:
    registry = CollectorRegistry()
    check = RedisCheck(redis, registry, replicated=True, lease_seconds=10, elapsed=monotonic)

    def shown(setting: str) -> float | None:
        return registry.get_sample_value("keyturn_redis_setting_wrong", {"setting": setting})

    wrong = await check.look()
    assert [each.setting for each in wrong] == ["min-replicas-to-write", "min-replicas-max-lag"]
    assert (shown("min-replicas-to-write"), shown("maxmemory-policy")) == (1, 0)
    await redis.config_set("min-replicas-to-write", 1)
    await redis.config_set("min-replicas-max-lag", 2)
    try:
        assert [each.setting for each in await check.look()] == ["replicas"]
        assert (shown("min-replicas-to-write"), shown("replicas")) == (0, 1)
    finally:
        await redis.config_set("min-replicas-to-write", 0)
        await redis.config_set("min-replicas-max-lag", 10)


async def test_a_redis_that_hides_its_settings_is_not_judged(
    redis: Redis, redis_server: EmbeddedRedis
) -> None:
    await redis.acl_setuser("limited", enabled=True, passwords=["+secret"], keys=["*"], commands=["+ping"])
    limited = connect(f"redis://limited:secret@127.0.0.1:{redis_server.port}/0")
    registry = CollectorRegistry()
    try:
        assert (
            await RedisCheck(limited, registry, replicated=True, lease_seconds=10, elapsed=monotonic).look()
            == []
        )
    finally:
        await limited.aclose()
        await redis.acl_deluser("limited")
    assert registry.get_sample_value("keyturn_redis_settings_readable") == 0
