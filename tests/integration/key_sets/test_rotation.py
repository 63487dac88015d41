"""Rotations and junk over a fleet, on real Redis and HTTP."""

import asyncio
import random
import time

import pytest
from redis.asyncio import Redis

from keyturn_verifier.key_sets.errors import KeysUnavailableError, UnknownKidError
from tests.integration.key_sets.fleet import QUICK, SLACK_SECONDS, Node, client_of, fleet_of, make_jwk
from tests.integration.key_sets.jwks_server import JwksServer, Page


async def test_rotations_in_quick_succession_lose_no_request(redis_url: str, server: JwksServer) -> None:
    """Clients that publish a key and sign with it at once, on all nodes under load, are never refused."""
    urls = [server.url(f"/jwks/{number}") for number in range(20)]
    clients = [client_of(url) for url in urls]
    pages = []
    for number in range(20):
        pages.append(Page([make_jwk("k0")]))
        server.pages[f"/jwks/{number}"] = pages[-1]
    draw = random.Random(1)

    async def rotate(which: int, nodes: list[Node]) -> None:
        for number in range(1, 6):
            pages[which].keys = [make_jwk(f"k{number}"), *pages[which].keys[:1]]
            signers = [draw.choice(nodes).kids(clients[which], f"k{number}") for _ in range(4)]
            assert await asyncio.gather(*signers) == [[f"k{number}"]] * 4

    async with fleet_of(5, redis_url, find_timeout=30.0) as nodes:
        await asyncio.gather(*(rotate(which, nodes) for which in range(20)))


async def test_junk_kids_cost_the_client_little_and_do_not_hold_up_a_new_key(
    redis_url: str, server: JwksServer
) -> None:
    page = server.pages["/jwks"] = Page([make_jwk("k1")])
    client = client_of(server.url("/jwks"))
    draw = random.Random(2)
    refused = 0

    async def junk(node: Node, until: float) -> None:
        nonlocal refused
        while time.monotonic() < until:
            with pytest.raises((UnknownKidError, KeysUnavailableError)):
                await node.kids(client, f"junk-{draw.random()}")
            refused += 1
            await asyncio.sleep(0.001)

    async def rotate(nodes: list[Node]) -> float:
        await asyncio.sleep(1.7)
        page.keys = [make_jwk("k2"), *page.keys]
        published = time.monotonic()
        while True:
            try:
                await draw.choice(nodes).kids(client, "k2")
                return time.monotonic() - published
            except UnknownKidError:
                await asyncio.sleep(0.02)

    async with fleet_of(5, redis_url) as nodes:
        assert await nodes[0].kids(client, "k1") == ["k1"]
        until = time.monotonic() + 4.0
        rotated, *_ = await asyncio.gather(rotate(nodes), *(junk(node, until) for node in nodes * 8))
    assert rotated < QUICK.min_interval + SLACK_SECONDS
    # The first fetch, two at once, one every second, one given back for the new key, and no poll more.
    assert server.requests["/jwks"] <= 1 + 2 + 4 + 1
    assert refused > 500


async def test_a_withdrawn_key_is_refused_within_the_freshness_bound(
    redis_url: str, redis: Redis, server: JwksServer
) -> None:
    page = server.pages["/jwks"] = Page([make_jwk("old"), make_jwk("kept")])
    client = client_of(server.url("/jwks"))
    async with fleet_of(2, redis_url) as nodes:
        for node in nodes:
            assert await node.kids(client, "old") == ["old"]
        page.keys = page.keys[1:]
        withdrawn = time.monotonic()
        for node in nodes:
            with pytest.raises(UnknownKidError):
                while time.monotonic() < withdrawn + QUICK.default_freshness + SLACK_SECONDS:
                    await node.kids(client, "old")
                    await asyncio.sleep(0.02)
            assert await node.kids(client, "kept") == ["kept"]
        assert time.monotonic() - withdrawn < QUICK.default_freshness + SLACK_SECONDS
