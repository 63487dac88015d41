"""Clearing during a fetch: one that began earlier may not fill the cache afterwards."""

import asyncio

import msgspec
import pytest
from redis.asyncio import Redis

from keyturn_shared.oauth.key_errors import KeysUnavailableError, UnknownKidError
from keyturn_shared.position import Position
from tests.integration.key_sets.fleet import REALM, client_of, fleet_of, make_jwk, set_head
from tests.testkit.jwks_server import JwksServer, Page
from tests.testkit.waiting import wait_until


@pytest.mark.parametrize("scope", ["client", "realm"])
async def test_a_fetch_that_was_under_way_when_the_cache_was_cleared_does_not_fill_it(
    redis_url: str, redis: Redis, server: JwksServer, scope: str
) -> None:
    await set_head(redis, 7, 100)
    page = server.pages["/jwks"] = Page([make_jwk("old")], hang=0.3)
    client = client_of(server.url("/jwks"))
    async with fleet_of(2, redis_url, polls=False, find_timeout=20.0, fetch_timeout=1.2) as nodes:
        first = asyncio.create_task(nodes[0].kids(client, "old"))
        await wait_until(lambda: server.hanging == 1, interval=0.005)
        # Cleared while the answer with the old key is on its way; the other's cache was cleared long ago.
        await set_head(redis, 7, 101)
        realm = msgspec.structs.replace(REALM, keys_not_before=101 if scope == "realm" else 50)
        cleared = msgspec.structs.replace(client, keys_not_before=101 if scope == "client" else 50)
        for node in nodes:
            node.position = Position(7, 101)
        assert await first == ["old"]  # asked before the clearing
        page.hang, page.keys = 0.0, [make_jwk("new")]
        for node in nodes:
            with pytest.raises((UnknownKidError, KeysUnavailableError)):
                await node.kids(cleared, "old", realm)
            assert await node.kids(cleared, "new", realm) == ["new"]
