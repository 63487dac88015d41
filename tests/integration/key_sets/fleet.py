"""Nodes of the key set service on a real Redis, with short times."""

import asyncio
import contextlib
import itertools
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from prometheus_client import CollectorRegistry, generate_latest
from redis.asyncio import Redis

from keyturn_shared.clock import SystemClock
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.key_set_address import KeySetAddress
from keyturn_shared.key_sets.layout import KeySetLayout
from keyturn_shared.key_sets.record import KeySetRecord, decode_record
from keyturn_shared.position import Position
from keyturn_shared.projection import ClientProjection, RealmProjection
from keyturn_shared.redis_broker import make_broker
from keyturn_shared.redis_client import connect
from keyturn_verifier.key_sets.http_download import GuardedDownload
from keyturn_verifier.key_sets.lookup import KeySetLookup
from keyturn_verifier.key_sets.policy import KeySetPolicy
from keyturn_verifier.key_sets.wiring import KeySetWiring, assemble
from tests.testkit.jwks_server import Jwk
from tests.testkit.key_set_seal import seal
from tests.testkit.redis_reading import value_of
from tests.testkit.waiting import in_time

QUICK = KeySetPolicy(
    min_interval=1.0,
    spacing=0.02,
    find_timeout=0.9,
    new_key_timeout=0.9,
    default_freshness=2.0,
    min_freshness=1.0,
    max_freshness=3.0,
    outage=3.0,
    max_backoff=2.0,
    max_demand_backoff=1.0,
    idle=60.0,
    lease=1.5,
    fetch_timeout=1.0,
    allowed_networks=("127.0.0.0/8",),
)
SLACK_SECONDS = 8.0
"""Delay that a busy machine may add to any time."""
REALM = RealmProjection(id="r1", name="main")
LAYOUT = KeySetLayout()
START = Position(7, 100)
_numbers = itertools.count()


def make_jwk(kid: str) -> Jwk:
    """Generate a public P-256 key with that kid."""
    key = VerificationKey.from_public_key(ec.generate_private_key(ec.SECP256R1()).public_key(), kid=kid)
    return {**key.public_jwk, "alg": "ES256"}


def client_of(url: str, **changes: Any) -> ClientProjection:
    number = next(_numbers)
    fields: dict[str, Any] = {"uuid": f"u{number}", "realm_id": "r1", "client_id": f"c{number}"}
    return ClientProjection(jwks_url=url, **{**fields, **changes})


@dataclass
class Node:
    parts: KeySetWiring
    registry: CollectorRegistry
    position: Position = START

    def metrics(self) -> str:
        """Return the content of /metrics."""
        return generate_latest(self.registry).decode()

    @property
    def lookup(self) -> KeySetLookup:
        assert self.parts.lookup is not None
        return self.parts.lookup

    async def kids(
        self, client: ClientProjection, kid: str | None, realm: RealmProjection = REALM
    ) -> list[str]:
        """Return the kids found. Raises like ``find``."""
        return [key.kid for key in await self.lookup.find(realm, client, kid, "ES256")]


@contextlib.asynccontextmanager
async def fleet_of(
    count: int, url: str, *, polls: bool | Sequence[bool] = True, policy: KeySetPolicy = QUICK, **changes: Any
) -> AsyncIterator[list[Node]]:
    """Run nodes that share only Redis. ``polls``: of all, or of each."""
    policy = replace(policy, **changes)
    nodes: list[Node] = []
    async with contextlib.AsyncExitStack() as stack:
        for index in range(count):
            redis, broker = connect(url), make_broker(url, logger=None)
            stack.push_async_callback(redis.aclose)
            download = GuardedDownload(policy)
            stack.push_async_callback(download.close)
            registry = CollectorRegistry()
            parts = assemble(
                redis=redis,
                broker=broker,
                download=download,
                policy=policy,
                clock=SystemClock(),
                registry=registry,
                worker=f"node-{index}",
                seal=seal(),
                position=partial(_position_of, nodes, index),
                polls=polls if isinstance(polls, bool) else polls[index],
            )
            nodes.append(Node(parts, registry))
            await broker.start()
            stack.push_async_callback(broker.stop)
            await parts.start()
            stack.push_async_callback(parts.stop)
        yield nodes


def _position_of(nodes: Sequence[Node], index: int) -> Position:
    return nodes[index].position


async def set_head(redis: Redis, epoch: int, sequence: int) -> None:
    """Write the event log's position, like the relay."""
    await redis.hset(LAYOUT.head, mapping={"epoch": epoch, "sequence": sequence})


async def record_of(redis: Redis, url: str) -> KeySetRecord | None:
    value = await value_of(redis, LAYOUT.record(KeySetAddress.of(url).id))
    return decode_record(value) if value is not None else None


@contextlib.asynccontextmanager
async def fetcher_process(redis_url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    module = "tests.integration.key_sets.fetcher_process"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, redis_url, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        assert await in_time(process.stdout.readline()) == b"polling\n"
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
