"""A filled Redis at the level of its scripts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from redis.asyncio import Redis

from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.membership import MembershipChannel
from keyturn_shared.fleet.reading import ProjectionReader
from keyturn_shared.fleet.registry import FleetRegistry
from keyturn_shared.fleet.relay_channel import LeaseTerms, Look, Publication, RelayChannel
from keyturn_shared.fleet.replay import AssertionRegistry
from keyturn_shared.fleet.scripts import RedisScripts
from tests.testkit.redis_reading import field_value

LAYOUT = Layout()
TERMS = LeaseTerms(seconds=10.0, margin=1.0)
EPOCH = 3

HOUR_MS = 3_600_000
"""Validity of a relay's look: two seconds in the product, an hour here, so that a test may take its time."""


def publication(sequence: int, **projections: bytes | None) -> Publication:
    changes = tuple((field, sequence, body) for field, body in projections.items())
    return Publication(sequence, f"event-{sequence}", f"event-{sequence - 1}", b"{}", changes)


@dataclass
class Fleet:
    """Epoch 3 at sequence 1, complete: ``a`` exists as of sequence 1."""

    redis: Redis
    scripts: RedisScripts
    relay: RelayChannel
    registry: FleetRegistry
    reader: ProjectionReader

    def node(self, name: str = "node") -> MembershipChannel:
        return MembershipChannel(self.scripts, name)

    def assertions(self, claimant: str = "") -> AssertionRegistry:
        return AssertionRegistry(self.scripts, 15.0, claimant=claimant)

    async def open(self, epoch: int, sequence: int = 1, **changes: Any) -> bool:
        """Open an epoch like a relay after a look; ``seen`` replaces what it saw."""
        seen = changes.pop("seen", None) or await self.look()
        asked = {"closed_nonce": None, "fresh": False, "statement": b"signed"} | changes
        return await self.relay.open_epoch(epoch, sequence, f"event-{sequence}", b"{}", seen=seen, **asked)

    async def head(self, name: str) -> str | None:
        value = await field_value(self.redis, LAYOUT.head, name)
        return None if value is None else value.decode()

    async def number(self, name: str) -> int:
        return int(await self.head(name) or 0)

    async def set_head(self, **fields: str | int) -> None:
        await self.redis.hset(LAYOUT.head, mapping=fields)  # type: ignore[arg-type]  # text and numbers

    async def everything(self) -> Mapping[bytes | str, Any]:
        """Return everything in Redis, to show that nothing has changed."""
        return {key: await self.redis.dump(key) for key in sorted(await self.redis.keys())}

    async def distrust(self) -> None:
        """Make Redis another process than the trusted one."""
        await self.set_head(vouched="another-process")

    async def projection(self, field: str, epoch: int = EPOCH) -> bytes | None:
        return await field_value(self.redis, LAYOUT.projections(epoch), field)

    async def look(self, **changes: Any) -> Look:
        seen = await self.relay.look()
        return replace(seen, **{"at": seen.at + HOUR_MS, **changes})


@pytest.fixture
async def fleet(redis: Redis) -> Fleet:
    scripts = RedisScripts(redis)
    made = Fleet(
        redis, scripts, RelayChannel(scripts, TERMS), FleetRegistry(scripts), ProjectionReader(scripts)
    )
    assert await made.open(EPOCH, fresh=True)
    assert await made.relay.write_projections(EPOCH, [("a", 1, b"{}")])
    assert await made.relay.complete_epoch(EPOCH)
    return made
