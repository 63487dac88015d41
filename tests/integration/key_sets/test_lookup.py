"""Lookup of keys by URL, over real Redis and HTTP."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from keyturn_shared.oauth.key_errors import KeysUnavailableError, UnknownKidError
from keyturn_shared.position import Position
from tests.integration.key_sets.fleet import client_of, fleet_of, make_jwk, record_of, set_head
from tests.testkit.jwks_server import JwksServer, Page
from tests.testkit.waiting import wait_until


async def test_the_first_use_fetches_once_for_the_whole_fleet(redis_url: str, server: JwksServer) -> None:
    server.pages["/jwks"] = Page([make_jwk("k1")], hang=0.1)
    client = client_of(server.url("/jwks"))
    async with fleet_of(5, redis_url) as nodes:
        found = await asyncio.gather(*(node.kids(client, "k1") for node in nodes for _ in range(20)))
    assert found == [["k1"]] * 100
    assert server.requests["/jwks"] == 1


async def test_a_new_key_works_at_once_on_every_node(redis_url: str, server: JwksServer) -> None:
    page = server.pages["/jwks"] = Page([make_jwk("k0")])
    client = client_of(server.url("/jwks"))
    async with fleet_of(5, redis_url, polls=False) as nodes:
        for number in range(1, 41):
            page.keys = [make_jwk(f"k{number}"), *page.keys[:1]]
            order = nodes[number % 5 :] + nodes[: number % 5]
            found = await asyncio.gather(*(node.kids(client, f"k{number}") for node in order))
            assert found == [[f"k{number}"]] * 5


async def test_an_unknown_kid_is_refused_after_one_fetch(redis_url: str, server: JwksServer) -> None:
    server.pages["/jwks"] = Page([make_jwk("k1")])
    client = client_of(server.url("/jwks"))
    async with fleet_of(1, redis_url, polls=False) as [node]:
        assert await node.kids(client, "k1") == ["k1"]
        with pytest.raises(UnknownKidError):
            await node.kids(client, "k2")
    assert server.answers["/jwks", 200] == 1
    assert server.answers["/jwks", 304] == 1


async def test_a_cleared_key_set_is_fetched_again_before_it_is_used(
    redis_url: str, redis: Redis, server: JwksServer
) -> None:
    await set_head(redis, 7, 100)
    page = server.pages["/jwks"] = Page([make_jwk("old")])
    client = client_of(server.url("/jwks"))
    async with fleet_of(2, redis_url, polls=False) as nodes:
        for node in nodes:
            assert await node.kids(client, "old") == ["old"]
        page.keys = [make_jwk("new")]
        await set_head(redis, 7, 101)
        cleared = client_of(server.url("/jwks"), uuid=client.uuid, keys_not_before=101)
        for node in nodes:
            node.position = Position(7, 101)
            with pytest.raises(UnknownKidError):
                await node.kids(cleared, "old")
            assert await node.kids(cleared, "new") == ["new"]
    # The first fetch, the one after the clearing, and a conditional one for the withdrawn kid.
    assert server.answers == {("/jwks", 200): 2, ("/jwks", 304): 1}


async def test_a_poll_after_the_clearing_that_only_confirms_the_keys_does_not_bring_them_back(
    redis_url: str, redis: Redis, server: JwksServer
) -> None:
    """An operator who clears the cache distrusts what was fetched, and so its ETag."""
    await set_head(redis, 7, 100)
    server.pages["/jwks"] = Page([make_jwk("k1")])
    client = client_of(server.url("/jwks"))
    async with fleet_of(1, redis_url) as [node]:
        assert await node.kids(client, "k1") == ["k1"]
        await set_head(redis, 7, 101)
        node.position = Position(7, 101)
        confirmed = server.answers["/jwks", 304]
        await wait_until(lambda: server.answers["/jwks", 304] >= confirmed + 2)
        assert server.answers["/jwks", 200] == 1
        cleared = client_of(server.url("/jwks"), uuid=client.uuid, keys_not_before=101)
        assert await node.kids(cleared, "k1") == ["k1"]
        assert server.answers["/jwks", 200] == 2


async def test_a_redis_that_knows_less_than_the_node_is_not_asked_to_fetch(
    redis_url: str, redis: Redis, server: JwksServer
) -> None:
    await set_head(redis, 7, 100)
    server.pages["/jwks"] = Page([make_jwk("k1")])
    async with fleet_of(1, redis_url, polls=False) as [node]:
        with pytest.raises(KeysUnavailableError):
            await node.kids(client_of(server.url("/jwks"), keys_not_before=101), "k1")
    assert server.requests["/jwks"] == 0


async def test_a_failing_url_gives_keys_unavailable_and_is_not_asked_by_every_request(
    redis_url: str, redis: Redis, server: JwksServer
) -> None:
    server.pages["/jwks"] = Page(status=500, body=b"oops")
    client = client_of(server.url("/jwks"))
    seldom: dict[str, Any] = dict.fromkeys(
        ("min_interval", "min_freshness", "default_freshness", "max_freshness"), 60.0
    )
    seldom |= dict.fromkeys(("max_demand_backoff", "max_backoff"), 60.0)
    async with fleet_of(3, redis_url, polls=False, **seldom) as nodes:
        for node in nodes * 10:
            with pytest.raises(KeysUnavailableError):
                await node.kids(client, "k1")
    assert server.requests["/jwks"] == 1
    record = await record_of(redis, client.jwks_url or "")
    assert record is not None
    assert record.failures == 1


async def test_a_fetch_that_does_not_end_in_time_is_no_word_about_the_kid(
    redis_url: str, server: JwksServer
) -> None:
    """The client may retry; "unknown kid" would blame the client."""
    page = server.pages["/jwks"] = Page([make_jwk("k1")])
    client = client_of(server.url("/jwks"))
    async with fleet_of(1, redis_url, polls=False, find_timeout=20.0) as [node]:
        assert await node.kids(client, "k1") == ["k1"]
    async with fleet_of(1, redis_url, polls=False, find_timeout=0.3, new_key_timeout=0.3) as [node]:
        assert await node.kids(client, "k1") == ["k1"]
        page.hang, page.keys = 0.55, [make_jwk("k2")]
        with pytest.raises(KeysUnavailableError):
            await node.kids(client, "k2")


async def test_requests_that_wait_for_urls_which_hang_take_no_room_from_those_of_a_good_one(
    redis_url: str, server: JwksServer
) -> None:
    page = server.pages["/good"] = Page([make_jwk("k1")])
    good = client_of(server.url("/good"))
    async with fleet_of(1, redis_url, polls=False, waiters=4, waiters_per_url=2) as [node]:
        assert await node.kids(good, "k1") == ["k1"]
        hanging = []
        for path in ("/one", "/two"):
            server.pages[path] = Page(hang=5.0)
            hanging += [asyncio.create_task(node.kids(client_of(server.url(path)), "k")) for _ in range(2)]
        await wait_until(lambda: server.hanging == 2, interval=0.005)
        page.keys = [make_jwk("k2")]
        assert await node.kids(good, "k2") == ["k2"]
        await asyncio.gather(*hanging, return_exceptions=True)
