"""A filled Redis, a realm, and nodes."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from keyturn_shared.projection import RealmProjection
from tests.integration.verifier.filling import Filling, realm_of
from tests.integration.verifier.nodes import RunningNode, running_node


@pytest.fixture
def realm() -> RealmProjection:
    return realm_of("acme")


@pytest.fixture
async def filling(redis: Redis, realm: RealmProjection) -> Filling:
    """An open epoch in which the realm is all there is."""
    filled = Filling.on(redis)
    await filled.open(realm)
    return filled


@pytest.fixture
async def node(filling: Filling, redis_url: str) -> AsyncIterator[RunningNode]:
    async with running_node(redis_url) as running:
        yield running
