"""The partitions of used assertions: their number, and each of them at its server of Redis. Reads only."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from redis.asyncio import Redis, RedisCluster

from keyturn.doctor.findings import AreaReport, Finding
from keyturn.doctor.partitions_judgement import (
    LostShard,
    PartitionLook,
    judge_lost,
    judge_nodes,
    judge_number,
    judge_partitions,
    summary_of,
)
from keyturn.doctor.scene import Scene
from keyturn_credentials.store.event_log import DatabaseEventLog
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.partitions import LOG_PARTITION, Partitioning
from keyturn_shared.fleet.registry import FleetRegistry
from keyturn_shared.fleet.relay_channel import LeaseTerms, RelayChannel
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.redis_client import ANSWER_SECONDS, Endpoint, connect, connect_to_server
from keyturn_shared.redis_failures import REDIS_FAILURES, redis_answers
from keyturn_shared.signed_log.errors import ForgedError
from keyturn_shared.signed_log.head import read_head_statement

_SETTLE_SECONDS: Final = 3.0
"""Time in which nodes follow a statement, and the relay vouches for a process that was just replaced."""
_PAUSE_SECONDS: Final = 0.2
_UNTRUSTED: Final = "the log in Redis is not usable, so its statement about partitions is not known"
_FOREIGN: Final = "the relay's statement about partitions is not signed by a key of these settings"
_NO_SERVER: Final = "no server"


async def check_partitions(scene: Scene, report: AreaReport) -> None:
    """Check the partitions. Raises RedisUnavailableError and StoreUnavailableError."""
    registry = FleetRegistry(RedisScripts(scene.redis))
    keys = scene.settings.log_keys().verification()
    deadline = scene.clock.elapsed() + min(_SETTLE_SECONDS, scene.seconds / 3)
    while True:
        view = await registry.view()
        if view.head is None or not view.head.trusted:
            report.skipped = _UNTRUSTED
            return
        try:
            stated = read_head_statement(view.head.statement, keys).partitioning
        except ForgedError:
            report.skipped = _FOREIGN
            return
        found = list(judge_number(scene.settings.partitions, stated))
        found += judge_nodes(view, stated)
        found += await _judge_each(scene, stated)
        if not found or scene.clock.elapsed() >= deadline:
            break
        await asyncio.sleep(_PAUSE_SECONDS)
    report.summary = summary_of(stated)
    report.extend(found)


async def _judge_each(scene: Scene, stated: Partitioning) -> list[Finding]:
    log = DatabaseEventLog(scene.database, scene.clock)
    epochs = {
        number: None if number == LOG_PARTITION else await log.partition_epoch(number)
        for number in sorted(stated.all)
    }
    looks: list[PartitionLook] = []
    lost: list[LostShard] = []

    async def look_at(place: str, server: Redis | None, numbers: tuple[int, ...]) -> None:
        try:
            if server is None:
                raise RedisUnavailableError("no server of the cluster has their slots")
            async with asyncio.timeout(min(ANSWER_SECONDS, scene.seconds / 3)):
                looks.extend(await _looks(server, {number: epochs[number] for number in numbers}))
        except (RedisUnavailableError, TimeoutError) as error:
            lost.append(LostShard(numbers, place, str(error) or "no answer in time"))

    async with _servers(scene, epochs) as servers:
        await asyncio.gather(*(look_at(place, *of_server) for place, of_server in servers.items()))
    return [*judge_lost(lost), *judge_partitions(sorted(looks, key=lambda each: each.partition))]


async def _looks(server: Redis, epochs: Mapping[int, int | None]) -> list[PartitionLook]:
    scripts = RedisScripts(server)
    return [
        PartitionLook(
            number, epoch, await RelayChannel(scripts, LeaseTerms(), Layout(number)).read_claimants()
        )
        for number, epoch in epochs.items()
    ]


@asynccontextmanager
async def _servers(
    scene: Scene, numbers: Iterable[int]
) -> AsyncIterator[dict[str, tuple[Redis | None, tuple[int, ...]]]]:
    """Yield, by place, a client of each server and its partitions. In a cluster, each server has a client of
    its own: a cluster client drops all its connections when one server is away."""
    url = scene.settings.redis_url
    if Endpoint.parse(url).kind != "cluster":
        yield {"": (scene.redis, tuple(numbers))}
        return
    placed: defaultdict[tuple[str, int] | None, list[int]] = defaultdict(list)
    limit = min(ANSWER_SECONDS, scene.seconds)
    # A client of its own, since one that is in use keeps the places of before a fail-over.
    cluster: Any = connect(url, answer_seconds=limit)  # typed as a single server's
    with redis_answers("the servers of the cluster"):
        async with cluster:
            for number in numbers:
                placed[_place_of(cluster, number)].append(number)
    servers: dict[str, tuple[Redis | None, tuple[int, ...]]] = {}
    for place, of_place in placed.items():
        if place is None:
            servers[_NO_SERVER] = None, tuple(of_place)
        else:
            client = connect_to_server(url, *place, answer_seconds=limit)
            servers[f"{place[0]}:{place[1]}"] = client, tuple(of_place)
    try:
        yield servers
    finally:
        await asyncio.gather(*(client.aclose() for client, _ in servers.values() if client is not None))


def _place_of(cluster: RedisCluster, partition: int) -> tuple[str, int] | None:
    """Return host and port of the server with a partition; None if its slot has none."""
    try:
        node = cluster.get_node_from_key(Layout(partition).head)
    except REDIS_FAILURES:
        return None
    return None if node is None else (str(node.host), int(node.port))
