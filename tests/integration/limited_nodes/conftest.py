"""Both kinds of nodes beside the service."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from keyturn_shared.jose.signing import SigningKey
from tests.integration.limited_nodes.scene import (
    REALMS,
    Limited,
    full_node,
    limited_node,
    make_realm,
    realm_keys,
    service_settings,
)
from tests.testkit.admin_api import running


@pytest.fixture
async def scene(tmp_path: Path, redis: Redis, redis_url: str) -> AsyncIterator[Limited]:
    key = SigningKey.generate()
    async with running(service_settings(tmp_path, redis_url)) as api:
        ids = {name: await make_realm(api, name, key) for name in REALMS}
        keys = realm_keys(api, ids["acme"])
        async with (
            full_node(api, node_id="full", dpop_nonces=True) as full,
            limited_node(api, keys, node_id="limited", dpop_nonces=True) as limited,
        ):
            yield Limited(api, full, limited, keys, key, ids)
