"""Wiring of key sets, for a node and for a separate fetcher."""

from collections.abc import Callable
from dataclasses import dataclass

from faststream.redis import RedisBroker
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis, RedisCluster

from keyturn_shared.clock import Clock
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.key_sets.layout import KeySetLayout
from keyturn_shared.key_sets.seal import KeySetSeal
from keyturn_shared.position import Position
from keyturn_shared.runtime.supervised_task import SupervisedTask
from keyturn_verifier.key_sets.announcements import announcer, follow
from keyturn_verifier.key_sets.cache import KeySetCache
from keyturn_verifier.key_sets.download import Download
from keyturn_verifier.key_sets.fetcher import KeySetFetcher
from keyturn_verifier.key_sets.lookup import KeySetLookup
from keyturn_verifier.key_sets.metrics import KeySetMetrics
from keyturn_verifier.key_sets.on_demand_refresh import OnDemandRefresh
from keyturn_verifier.key_sets.policy import KeySetPolicy
from keyturn_verifier.key_sets.poller import KeySetPoller
from keyturn_verifier.key_sets.redis_repository import SCRIPTS_PACKAGE, KeySetRepository


@dataclass(frozen=True, slots=True)
class KeySetWiring:
    """The key set parts of a process. Call ``start`` after the broker starts, ``stop`` before it stops."""

    channel: KeySetRepository
    fetcher: KeySetFetcher
    lookup: KeySetLookup | None
    poller: KeySetPoller | None

    @property
    def tasks(self) -> list[SupervisedTask]:
        """Tasks that run from start to stop."""
        return [task for part in (self.lookup, self.poller) if part is not None for task in part.tasks]

    async def start(self) -> None:
        for task in self.tasks:
            await task.start()

    async def stop(self) -> None:
        """Stop leasing and cancel what is in progress; others take over when the leases expire."""
        for task in self.tasks:
            await task.stop()
        if self.poller is not None:
            await self.poller.abandon()
        if self.lookup is not None:
            await self.lookup.abandon()


def assemble(
    *,
    redis: Redis | RedisCluster,
    broker: RedisBroker,
    download: Download,
    policy: KeySetPolicy,
    clock: Clock,
    registry: CollectorRegistry,
    worker: str,
    seal: KeySetSeal,
    position: Callable[[], Position] | None,
    polls: bool = True,
    layout: KeySetLayout | None = None,
) -> KeySetWiring:
    """Assemble the parts. Call it before the broker starts.

    ``worker``: unique name of the process in its leases. ``seal``: signs and checks records. ``position``:
    the node's position, None in a process that only fetches. ``polls``: take part in polling.
    """
    layout = layout or KeySetLayout()
    metrics = KeySetMetrics(registry)
    channel = KeySetRepository(RedisScripts(redis, SCRIPTS_PACKAGE), policy, worker, seal, layout)
    fetcher = KeySetFetcher(channel, download, announcer(broker, layout), policy, clock, metrics)
    lookup = None
    if position is not None:
        key_sets = KeySetCache(policy.cached)
        demands = OnDemandRefresh(channel, fetcher, key_sets, policy, clock, metrics)
        lookup = KeySetLookup(channel, key_sets, demands, policy, clock, metrics, position, seal.fetchers)
        follow(broker, layout, lookup.announced)
    poller = KeySetPoller(channel, fetcher, policy, clock, metrics) if polls else None
    return KeySetWiring(channel, fetcher, lookup, poller)
