"""Faults of a real Redis: each is found, and nothing else."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy import text

from keyturn.doctor.findings import Area
from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.database import Database
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.signed_log.keys import LogSigningKeys
from tests.integration.doctor.examining import Installation, diagnosed, installed, reported
from tests.testkit.admin_api import running
from tests.testkit.nodes import TestClock, eventually, running_node
from tests.testkit.tcp_proxy import tcp_proxy

_USER, _PASSWORD = "doctor", "a-password-of-the-test"
_RIGHTS = ["+@all", "-@dangerous", "+info", "+config|get"]


def with_url(settings: CredentialsSettings, url: str) -> CredentialsSettings:
    return settings.model_copy(update={"redis_url": url})


async def user_with(redis: Redis, port: int, *rights: str) -> str:
    """Make a user with these rights on keyturn's keys; return the URL."""
    await redis.acl_setuser(
        _USER, enabled=True, reset=True, passwords=[f"+{_PASSWORD}"], keys=["kt:*"], commands=list(rights)
    )
    return f"redis://{_USER}:{_PASSWORD}@127.0.0.1:{port}/0"


async def test_an_installation_without_faults_has_no_finding(installation: Installation) -> None:
    assert await diagnosed(installation.settings) == ([], 0)


async def test_a_redis_that_does_not_run(
    installation: Installation, redis: Redis, redis_server: EmbeddedRedis
) -> None:
    redis_server.kill()
    reports = await reported(installation.settings)
    found = [finding.code for report in reports for finding in report.findings]
    assert [code for code in found if code != "database_slow"] == ["redis_unreachable"]
    assert [report.area for report in reports if report.skipped] == [
        Area.FLEET,
        Area.PARTITIONS,
        Area.KEY_SETS,
    ]
    redis_server.start()
    await redis.connection_pool.disconnect()


async def test_a_wrong_password(installation: Installation, redis_server: EmbeddedRedis) -> None:
    wrong = with_url(installation.settings, f"redis://:not-it@127.0.0.1:{redis_server.port}/0")
    assert await diagnosed(wrong) == (["redis_password_wrong"], 1)


@pytest.mark.parametrize("command", ["hset", "ping", "script|load"])
async def test_a_user_without_a_right(
    installation: Installation, redis: Redis, redis_server: EmbeddedRedis, command: str
) -> None:
    url = await user_with(redis, redis_server.port, *_RIGHTS, f"-{command}")
    reports = await reported(with_url(installation.settings, url), {Area.REDIS})
    found = [finding for finding in reports[0].findings if finding.code != "redis_slow"]
    assert [finding.code for finding in found] == ["redis_command_denied"]
    assert command.upper().replace("|", " ") in found[0].found
    assert _PASSWORD not in found[0].found


async def test_a_user_who_may_not_see_settings(
    installation: Installation, redis: Redis, redis_server: EmbeddedRedis
) -> None:
    url = await user_with(redis, redis_server.port, *_RIGHTS, "-config|get")
    assert await diagnosed(with_url(installation.settings, url)) == (["redis_settings_hidden"], 0)


async def test_a_version_that_is_too_old(
    installation: Installation, redis: Redis, redis_server: EmbeddedRedis
) -> None:
    version = (await redis.info("server"))["redis_version"]
    old = "6" + version[1:]
    rewritten = {f"redis_version:{version}".encode(): f"redis_version:{old}".encode()}
    async with tcp_proxy(redis_server.port, rewritten=rewritten) as proxy:
        url = redis_server.url.replace(f":{redis_server.port}", f":{proxy.port}")
        assert await diagnosed(with_url(installation.settings, url)) == (["redis_version_old"], 1)


async def test_a_policy_that_evicts(installation: Installation, redis: Redis) -> None:
    await redis.config_set("maxmemory", 1024**3)
    await redis.config_set("maxmemory-policy", "allkeys-lru")
    assert await diagnosed(installation.settings) == (["redis_setting_unsafe"], 1)


async def test_a_redis_that_forgets_at_a_restart(installation: Installation, redis: Redis) -> None:
    await redis.config_set("appendonly", "no")
    assert await diagnosed(installation.settings) == (["redis_setting_weak"], 0)


async def test_memory_that_is_almost_full(installation: Installation, redis: Redis) -> None:
    used = int((await redis.info("memory"))["used_memory"])
    await redis.config_set("maxmemory", int(used * 1.05))
    assert await diagnosed(installation.settings) == (["redis_memory_almost_full"], 1)


async def test_a_slow_network(installation: Installation, redis_server: EmbeddedRedis) -> None:
    async with tcp_proxy(redis_server.port) as proxy:
        proxy.delay = 0.05
        url = redis_server.url.replace(f":{redis_server.port}", f":{proxy.port}")
        slow = with_url(installation.settings, url)
        codes, code = await diagnosed(slow, {Area.REDIS}, slow=True)
    assert (codes, code) == (["redis_slow"], 0)


async def test_a_clock_that_is_wrong(installation: Installation) -> None:
    clock = TestClock()
    clock.ahead = 60.0
    assert await diagnosed(installation.settings, clock=clock) == (["redis_clock_differs"], 0)


async def test_a_replica(installation: Installation, redis_server: EmbeddedRedis, tmp_path: Path) -> None:
    other = EmbeddedRedis(tmp_path / "replica", persistent=True).start()
    replica = Redis.from_url(other.url)
    try:
        await replica.config_set("masterauth", redis_server.url.split(":")[2].split("@")[0])
        await replica.replicaof("127.0.0.1", redis_server.port)

        async def follows() -> bool:
            return (await replica.info("replication")).get("master_link_status") == "up"

        await eventually(follows)
        settings = with_url(installation.settings, other.url)
        assert await diagnosed(settings, {Area.REDIS}) == (["redis_is_replica"], 1)
    finally:
        await replica.aclose()
        other.stop()


async def test_a_redis_that_is_empty(settings: CredentialsSettings, redis: Redis) -> None:
    async with installed(settings, redis, node=False):
        pass
    await redis.flushall()
    assert await diagnosed(settings) == (["redis_empty"], 1)


async def test_a_redis_that_no_relay_has_looked_at(settings: CredentialsSettings, redis: Redis) -> None:
    async with installed(settings, redis, node=False):
        pass
    await redis.hset(Layout().head, "vouched", "another-process")
    assert await diagnosed(settings) == (["redis_not_vouched"], 1)


async def test_no_relay_at_work(settings: CredentialsSettings, redis: Redis) -> None:
    """The credentials service has ended, and a node is still there."""
    fleet_keys = settings.fleet_keys.get_secret_value()
    async with AsyncExitStack() as node:
        async with running(settings):
            await node.enter_async_context(running_node(settings.redis_url, fleet_keys=fleet_keys))
        stamped = int(await redis.hget(Layout().head, "stamped_at") or 0)
        await redis.hset(Layout().head, "stamped_at", str(stamped - 6_000))
        assert await diagnosed(settings) == (["relay_silent"], 1)


async def test_a_redis_of_another_database(settings: CredentialsSettings, redis: Redis) -> None:
    async with installed(settings, redis, node=False):
        pass
    await change(settings, "UPDATE fleet_state SET epoch = epoch + 1")
    assert await diagnosed(settings) == (["redis_of_another_log"], 1)


async def test_a_redis_that_misses_events(installation: Installation) -> None:
    await change(installation.settings, "UPDATE event_counter SET value = value + 1")
    assert await diagnosed(installation.settings) == (["redis_behind"], 1)


async def test_a_log_that_others_have_signed(installation: Installation) -> None:
    keys = SecretStr(LogSigningKeys.generate_key())
    other = installation.settings.model_copy(update={"log_signing_keys": keys})
    assert await diagnosed(other) == (["log_key_foreign"], 1)


async def change(settings: CredentialsSettings, statement: str) -> None:
    """Change the database behind everybody's back."""
    database = Database(settings.database_url)
    async with database.writing() as connection:
        await connection.execute(text(statement))
    await database.close()
