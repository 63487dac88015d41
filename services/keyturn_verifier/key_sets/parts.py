"""Putting the parts together, for the composition roots of a node and of a fetcher of its own."""

from collections.abc import Callable
from dataclasses import dataclass

from faststream.redis import RedisBroker
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis, RedisCluster

from keyturn_shared.clock import Clock
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.key_sets.layout import KeySetLayout
from keyturn_shared.position import Position
from keyturn_verifier.key_sets.announcements import announcer, follow
from keyturn_verifier.key_sets.channel import SCRIPTS_PACKAGE, KeySetChannel
from keyturn_verifier.key_sets.demands import KeySetDemands
from keyturn_verifier.key_sets.download import Download
from keyturn_verifier.key_sets.fetcher import KeySetFetcher
from keyturn_verifier.key_sets.held import HeldKeySets
from keyturn_verifier.key_sets.lookup import KeySetLookup
from keyturn_verifier.key_sets.metrics import KeySetMetrics
from keyturn_verifier.key_sets.policy import KeySetPolicy
from keyturn_verifier.key_sets.poller import KeySetPoller


@dataclass(frozen=True, slots=True)
class KeySetParts:
    """What a process needs of key sets. ``start`` after the broker, ``stop`` before it."""

    channel: KeySetChannel
    fetcher: KeySetFetcher
    lookup: KeySetLookup | None
    poller: KeySetPoller | None

    async def start(self) -> None:
        if self.lookup is not None:
            await self.lookup.start()
        if self.poller is not None:
            await self.poller.start()

    async def stop(self) -> None:
        if self.poller is not None:
            await self.poller.stop()
        if self.lookup is not None:
            await self.lookup.stop()


def assemble(
    *,
    redis: Redis | RedisCluster,
    broker: RedisBroker,
    download: Download,
    policy: KeySetPolicy,
    clock: Clock,
    registry: CollectorRegistry,
    worker: str,
    position: Callable[[], Position] | None,
    polls: bool = True,
    layout: KeySetLayout | None = None,
) -> KeySetParts:
    """Build before the broker starts. ``worker`` names the process in its claims and must be unique.
    ``position``: of the node, None for a process that only fetches. ``polls``: whether it takes part in
    polling."""
    layout = layout or KeySetLayout()
    metrics = KeySetMetrics(registry)
    channel = KeySetChannel(RedisScripts(redis, SCRIPTS_PACKAGE), policy, worker, layout)
    fetcher = KeySetFetcher(channel, download, announcer(broker, layout), policy, clock, metrics)
    lookup = None
    if position is not None:
        held = HeldKeySets(policy.cached)
        demands = KeySetDemands(channel, fetcher, held, policy, clock, metrics)
        lookup = KeySetLookup(channel, held, demands, policy, clock, metrics, position)
        follow(broker, layout, lookup.announced)
    poller = KeySetPoller(channel, fetcher, policy, metrics) if polls else None
    return KeySetParts(channel, fetcher, lookup, poller)
