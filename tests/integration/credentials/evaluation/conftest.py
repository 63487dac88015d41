from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.integration.credentials.evaluation.scene import Scene
from tests.testkit.admin_api import BASE_URL, running, settings_for
from tests.testkit.filled_redis import FLEET_KEY
from tests.testkit.fixtures.credentials_service import api
from tests.testkit.jwks_server import serving
from tests.testkit.nodes import eventually, running_node

__all__ = ["api"]


@pytest.fixture
async def scene(tmp_path: Path, redis: Redis, redis_url: str) -> AsyncIterator[Scene]:
    settings = settings_for(
        f"sqlite+aiosqlite:///{tmp_path}/keyturn.db",
        redis_url,
        fleet_keys=FLEET_KEY,
        jwks_allowed_networks="127.0.0.0/8",
    )
    async with (
        serving() as server,
        running(settings) as api,
        running_node(
            redis_url,
            public_url=BASE_URL,
            wait=False,
            credentials=api.app,
            fetcher_enabled=True,
            jwks_allowed_networks="127.0.0.0/8",
            jwks_min_interval=0.02,
            jwks_new_key_seconds=0.2,
            failure_limit_client=0,
            failure_limit_address=0,
        ) as node,
    ):
        await eventually(node.ready)
        made = Scene(api, node, server)
        await made.make()
        yield made
