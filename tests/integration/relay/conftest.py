"""A relay between a real database and a real Redis."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from keyturn_credentials.domain.projection_builder import Projector
from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.operations.changes import Changes
from keyturn_credentials.operations.clients import ClientOperations
from keyturn_credentials.operations.realms import RealmOperations
from keyturn_credentials.operations.secret_issuer import SecretIssuer
from keyturn_credentials.relay.metrics import RelayMetrics
from keyturn_credentials.relay.partitions import PartitionKeeper
from keyturn_credentials.relay.relay import FILL_BATCH, Relay
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.event_log import DatabaseEventLog
from keyturn_credentials.store.unit_of_work import Actor, Store
from keyturn_shared.clock import SystemClock
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.membership import MembershipChannel
from keyturn_shared.fleet.registry import FleetRegistry
from keyturn_shared.fleet.relay_channel import LeaseTerms, RelayChannel
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.realm_rings import FleetRing
from keyturn_shared.sealing import KeyRing
from keyturn_shared.signed_log.keys import LogSigningKeys
from tests.testkit.migrated_database import put_schema

ACTOR = Actor(Principal.system())
TERMS = LeaseTerms(seconds=0.4, margin=0.1)

LOG_KEYS = LogSigningKeys([b"l" * 32])


@dataclass
class Scene:
    """One database with its operations, one Redis, and relays between them."""

    database: Database
    store: Store
    log: DatabaseEventLog
    clients: ClientOperations
    realms: RealmOperations
    redis: Redis
    scripts: RedisScripts

    def relay(
        self,
        holder: str = "relay-1",
        *,
        fill_batch: int = FILL_BATCH,
        terms: LeaseTerms = TERMS,
        partitions: int = 1,
    ) -> Relay:
        channel, metrics = RelayChannel(self.scripts, terms), RelayMetrics(CollectorRegistry())
        return Relay(
            self.log,
            channel,
            SystemClock(),
            metrics,
            log_keys=LOG_KEYS,
            holder=holder,
            fill_batch=fill_batch,
            partitions=partitions,
        )

    def keeper(self, partition: int, holder: str = "relay-1") -> PartitionKeeper:
        channel = RelayChannel(self.scripts, TERMS, Layout(partition))
        metrics = RelayMetrics(CollectorRegistry())
        return PartitionKeeper(partition, self.log, channel, SystemClock(), metrics, holder=holder)

    @property
    def registry(self) -> FleetRegistry:
        return FleetRegistry(self.scripts)

    def node(self, name: str) -> MembershipChannel:
        return MembershipChannel(self.scripts, name)


@pytest.fixture
async def scene(tmp_path: Path, redis: Redis) -> AsyncIterator[Scene]:
    clock = SystemClock()
    encryption = KeyRing([b"e" * 32], purpose="encryption")
    fleet = FleetRing([b"f" * 32])
    url = f"sqlite+aiosqlite:///{tmp_path / 'keyturn.db'}"
    put_schema(url)
    database = Database(url)
    store = Store(database, clock, encryption, log_keys=LOG_KEYS)
    changes = Changes(store, Projector(encryption, fleet))
    realms = RealmOperations(store, changes, encryption)
    yield Scene(
        database,
        store,
        DatabaseEventLog(database, clock),
        ClientOperations(store, changes, SecretIssuer(fleet), realms),
        realms,
        redis,
        RedisScripts(redis),
    )
    await database.close()
