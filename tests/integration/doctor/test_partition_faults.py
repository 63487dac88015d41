"""Faults of the partitions of used assertions: each is found, and nothing else."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from redis.asyncio import Redis

from keyturn.doctor.findings import Area
from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.redis_client import connect
from tests.integration.doctor.examining import Installation, diagnosed, installed, reported
from tests.testkit.admin_api import settings_for
from tests.testkit.nodes import eventually
from tests.testkit.processes import Processes
from tests.testkit.redis_cluster import FullCluster
from tests.testkit.redis_reading import execute
from tests.testkit.waiting import wait_until

_NUMBER: Final = 4
_PARTITIONS: Final = frozenset({Area.PARTITIONS})
_LONG: Final = 600_000


def with_number(settings: CredentialsSettings, number: int) -> CredentialsSettings:
    return settings.model_copy(update={"partitions": number})


@pytest.fixture
async def partitioned(settings: CredentialsSettings, redis: Redis) -> AsyncIterator[Installation]:
    """An installation with four partitions, all of which are in use."""
    async with installed(with_number(settings, _NUMBER), redis) as running:
        await until_healthy(running)
        yield running


async def until_healthy(running: Installation) -> None:
    async def is_healthy() -> bool:
        return await diagnosed(running.settings, _PARTITIONS) == ([], 0)

    await eventually(is_healthy)


async def now_ms(redis: Redis) -> int:
    seconds, microseconds = await redis.time()
    return seconds * 1000 + microseconds // 1000


async def test_partitions_without_faults_have_no_finding(partitioned: Installation) -> None:
    assert await diagnosed(partitioned.settings) == ([], 0)
    (report,) = await reported(partitioned.settings, _PARTITIONS)
    assert report.summary == "4 partitions"


@pytest.mark.parametrize("number", [1, 8])
async def test_an_instance_with_another_number(partitioned: Installation, number: int) -> None:
    """The doctor has the settings of an instance that does not relay."""
    assert await diagnosed(with_number(partitioned.settings, number)) == (["partitions_differ"], 0)


async def test_a_number_that_changes_is_no_fault(settings: CredentialsSettings, redis: Redis) -> None:
    """The former number goes when nodes have used both for as long as an assertion is remembered."""
    async with installed(settings, redis) as running:
        await until_healthy(running)
    async with installed(with_number(settings, 2), redis) as running:
        await until_healthy(running)
        (report,) = await reported(running.settings, _PARTITIONS)
        assert report.summary == "1 and 2 partitions: changing"


@pytest.mark.parametrize("details", ['{"partitioning": "2"}', '{"partitioning": "many"}', "{}"])
async def test_a_node_with_other_partitions(partitioned: Installation, details: str) -> None:
    await partitioned.plant_node(await partitioned.record(expires=_LONG, details=details))
    assert await diagnosed(partitioned.settings) == (["node_other_partitions"], 1)


async def test_a_node_with_partitions_of_an_earlier_epoch_as_well(partitioned: Installation) -> None:
    details = '{"partitioning": "2,4"}'
    await partitioned.plant_node(await partitioned.record(expires=_LONG, details=details))
    assert await diagnosed(partitioned.settings) == ([], 0)


async def test_partitions_that_no_relay_can_vouch_for(partitioned: Installation, redis: Redis) -> None:
    """Redis was replaced, and the relay cannot open an epoch: something else is where it has its stream."""
    for number in (2, 3):
        await redis.set(Layout(number).events, "not a stream")
        await redis.hset(Layout(number).head, "vouched", "another-process")
    (report,) = await reported(partitioned.settings, _PARTITIONS)
    assert [(each.code, each.found) for each in report.findings] == [
        ("partition_not_vouched", "partitions 2, 3")
    ]


async def test_a_partition_that_is_lost_is_mended_by_the_relay(
    partitioned: Installation, redis: Redis
) -> None:
    await redis.delete(Layout(2).head)
    await until_healthy(partitioned)


async def test_a_node_that_does_not_bring_its_memory(partitioned: Installation, redis: Redis) -> None:
    layout = Layout(2)
    epoch = int(await redis.hget(layout.head, "epoch") or 0)
    now = await now_ms(redis)
    await redis.hset(layout.nodes, "planted", f"{now + _LONG}|{now}|11000|{epoch}|0|{{}}")
    await redis.hset(layout.claimants, "planted", "0")
    (report,) = await reported(partitioned.settings, _PARTITIONS)
    assert [(each.code, each.found) for each in report.findings] == [
        ("partition_memory_awaited", "partition 2 waits for the memory of planted")
    ]


async def test_a_barrier_that_is_ahead(partitioned: Installation, redis: Redis) -> None:
    """The clock of the server that took over is behind that of the former one."""
    await redis.hset(Layout(3).head, "replay_barrier", str(await now_ms(redis) + _LONG))
    assert await diagnosed(partitioned.settings) == (["partition_barrier_ahead"], 1)


async def test_a_barrier_of_the_event_log_that_is_ahead(installation: Installation, redis: Redis) -> None:
    await redis.hset(Layout().head, "replay_barrier", str(await now_ms(redis) + _LONG))
    assert await diagnosed(installation.settings) == (["partition_barrier_ahead"], 1)


async def test_a_shard_that_does_not_answer(processes: Processes, tmp_path: Path) -> None:
    """All servers of one shard have ended; the others go on."""
    cluster = await FullCluster.start(processes, tmp_path / "redis")
    for server in cluster.servers:
        async with server.client() as client:
            await execute(client, "CONFIG SET", "cluster-require-full-coverage", "no")
    settings = settings_for(f"sqlite+aiosqlite:///{tmp_path / 'keyturn.db'}", cluster.url, partitions=12)
    admin = connect(cluster.url)
    try:
        async with installed(settings, admin) as running:
            await until_healthy(running)
            lost = await cluster.another_primary()
            async with lost.client() as client:
                replicas = {int(each["port"]) for each in await replicas_of(client)}
            gone = [lost, *(each for each in cluster.servers if each.port in replicas)]
            for server in gone:
                server.process.kill()

            async def is_found() -> bool:
                (report,) = await reported(settings, _PARTITIONS)
                named = [each for each in report.findings if f":{lost.port}" in each.found]
                # The client may not get as far as the partitions: the server is named all the same.
                return bool({each.code for each in named} & {"partition_unreachable", "check_failed"})

            await wait_until(is_found, timeout=150.0)
    finally:
        await admin.aclose()


async def replicas_of(client: Redis) -> list[dict[str, str]]:
    """Return the replicas of a primary, as it sees them."""
    info = await client.info("replication")
    return [each for name, each in info.items() if name.startswith("slave") and isinstance(each, dict)]
