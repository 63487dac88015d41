"""A relay between a real database and a real Redis."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from keyturn_credentials.domain.projecting import Projector
from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.operations.clients import ClientOperations
from keyturn_credentials.operations.realms import RealmOperations
from keyturn_credentials.operations.secret_making import SecretMaker
from keyturn_credentials.relay.metrics import RelayMetrics
from keyturn_credentials.relay.relay import FILL_BATCH, Relay
from keyturn_credentials.store.engine import Engines
from keyturn_credentials.store.event_log import DatabaseEventLog
from keyturn_credentials.store.migrate import migrate
from keyturn_credentials.store.transaction import Actor, Store
from keyturn_shared.clock import SystemClock
from keyturn_shared.fleet.membership import MembershipChannel
from keyturn_shared.fleet.registry import FleetRegistry
from keyturn_shared.fleet.relay_channel import LeaseTerms, RelayChannel
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.sealing import KeyRing

ACTOR = Actor(Principal.system())
TERMS = LeaseTerms(seconds=0.4, margin=0.1)


@dataclass
class Scene:
    """One database with its operations, one Redis, and relays between them."""

    engines: Engines
    store: Store
    log: DatabaseEventLog
    clients: ClientOperations
    realms: RealmOperations
    redis: Redis
    scripts: RedisScripts

    def relay(
        self, holder: str = "relay-1", *, fill_batch: int = FILL_BATCH, terms: LeaseTerms = TERMS
    ) -> Relay:
        channel, metrics = RelayChannel(self.scripts, terms), RelayMetrics(CollectorRegistry())
        return Relay(self.log, channel, SystemClock(), metrics, holder=holder, fill_batch=fill_batch)

    @property
    def registry(self) -> FleetRegistry:
        return FleetRegistry(self.scripts)

    def node(self, name: str) -> MembershipChannel:
        return MembershipChannel(self.scripts, name)


@pytest.fixture
async def scene(tmp_path: Path, redis: Redis) -> AsyncIterator[Scene]:
    clock = SystemClock()
    encryption = KeyRing([b"e" * 32], purpose="encryption")
    fleet = KeyRing([b"f" * 32], purpose="fleet")
    engines = Engines(f"sqlite+aiosqlite:///{tmp_path / 'keyturn.db'}")
    await migrate(engines)
    store = Store(engines, clock, encryption)
    projector = Projector(encryption, fleet)
    yield Scene(
        engines,
        store,
        DatabaseEventLog(engines, clock),
        ClientOperations(store, projector, SecretMaker(fleet)),
        RealmOperations(store, projector, encryption),
        redis,
        RedisScripts(redis),
    )
    await engines.close()
