"""The parts of the service that use Redis, put together."""

import asyncio
import os
import socket
import uuid

from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from keyturn_credentials.fleet.waiter import FleetWaiter
from keyturn_credentials.relay.loop import RelayLoop
from keyturn_credentials.relay.metrics import RelayMetrics
from keyturn_credentials.relay.partitions import PartitionKeeper, Partitions
from keyturn_credentials.relay.relay import Relay
from keyturn_credentials.relay.traced_channel import TracedChannel
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.event_log import DatabaseEventLog
from keyturn_shared.clock import Clock
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.partitions import Partitioning
from keyturn_shared.fleet.registry import FleetRegistry
from keyturn_shared.fleet.relay_channel import LeaseTerms, RelayChannel
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.redis_client import connect
from keyturn_shared.tracing.ports import Tracer


class FleetSide:
    """The relay, the waits, the view of the nodes. ``ending``: as for ``FleetWaiter``."""

    def __init__(
        self,
        redis: Redis,
        database: Database,
        settings: CredentialsSettings,
        clock: Clock,
        metrics: CollectorRegistry,
        *,
        tracer: Tracer | None = None,
        ending: asyncio.Event | None = None,
    ) -> None:
        self._redis = redis
        # The relay has its own connections, so that waiting calls cannot delay it.
        self._relay_redis = connect(settings.redis_url)
        self._settings = settings
        self._clock = clock
        self._metrics = RelayMetrics(metrics)
        self._tracer = tracer
        self.registry = FleetRegistry(RedisScripts(redis))
        self.log = DatabaseEventLog(database, clock)
        self.waiter = FleetWaiter(self.registry, self.log, clock, ending=ending)

    async def close(self) -> None:
        """Close the connections to Redis."""
        await self._relay_redis.aclose()
        await self._redis.aclose()

    async def partitioning(self) -> Partitioning:
        """Return the partitions in which assertions are marked as used. Raises StoreUnavailableError."""
        return (await self.log.fleet_state()).partitioning

    def _channel(self, scripts: RedisScripts, terms: LeaseTerms) -> RelayChannel:
        tracer = self._tracer
        return RelayChannel(scripts, terms) if tracer is None else TracedChannel(scripts, terms, tracer)

    def relay_loop(self, database: Database) -> RelayLoop:
        terms = LeaseTerms(self._settings.lease_seconds, self._settings.lease_margin_seconds)
        log, scripts = DatabaseEventLog(database, self._clock), RedisScripts(self._relay_redis)
        holder = f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid.uuid4()}"
        relay = Relay(
            log,
            self._channel(scripts, terms),
            self._clock,
            self._metrics,
            log_keys=self._settings.log_keys(),
            holder=holder,
            partitions=self._settings.partitions,
        )

        def keeper(partition: int) -> PartitionKeeper:
            channel = RelayChannel(scripts, terms, Layout(partition))
            return PartitionKeeper(partition, log, channel, self._clock, self._metrics, holder=holder)

        partitions = Partitions(keeper, relay, elapsed=self._clock.elapsed)
        return RelayLoop(relay, self._metrics, partitions, elapsed=self._clock.elapsed)
