"""A node whose realm trusts issuers, with a server for their keys."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from tests.integration.workload.scene import Scene, fill
from tests.testkit.jwks_server import serving
from tests.testkit.nodes import running_node


@pytest.fixture
async def scene(redis: Redis, redis_url: str) -> AsyncIterator[Scene]:
    async with serving() as server:
        filling, realm = await fill(redis, server)
        # All requests come from one address, and none may be refused for their number. Unknown kids are not
        # what these tests wait for.
        async with running_node(
            redis_url,
            failure_limit_client=0,
            failure_limit_address=0,
            jwks_min_interval=0.02,
            jwks_new_key_seconds=0.2,
        ) as node:
            yield Scene(node, filling, server, realm)
