"""Rotations and junk over a fleet, on real Redis and HTTP."""

import asyncio
import random
import time
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from redis.asyncio import Redis

from keyturn_shared.oauth.key_errors import KeysUnavailableError, UnknownKidError
from tests.integration.key_sets.fleet import QUICK, Node, client_of, fleet_of, make_jwk
from tests.testkit.jwks_server import JwksServer, Page
from tests.testkit.waiting import wait_until


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

    # No fetch may fail because the machine is busy.
    async with fleet_of(5, redis_url, find_timeout=60.0, fetch_timeout=40.0, lease=60.0) as nodes:
        await asyncio.gather(*(rotate(which, nodes) for which in range(20)))


_UNPOLLED: dict[str, Any] = dict.fromkeys(("min_freshness", "default_freshness", "max_freshness"), 600.0)
"""Every request to a client's URL is then one for a kid."""


def most_requests(seconds: float, changes: int) -> float:
    """Return the maximum number of requests to a URL: the first, two at once, one per interval; those for new
    keys are refunded."""
    return 1 + QUICK.demand_burst + seconds / QUICK.min_interval + changes


async def test_junk_kids_cost_the_client_little_and_do_not_hold_up_a_new_key(
    redis_url: str, server: JwksServer
) -> None:
    page = server.pages["/jwks"] = Page([make_jwk("k1")])
    client = client_of(server.url("/jwks"))
    draw = random.Random(2)
    refused, rotated = 0, asyncio.Event()

    async def junk(node: Node) -> None:
        nonlocal refused
        while refused < 500 or not rotated.is_set():
            with pytest.raises((UnknownKidError, KeysUnavailableError)):
                await node.kids(client, f"junk-{draw.random()}")
            refused += 1
            await asyncio.sleep(0.001)

    async def rotate(nodes: list[Node]) -> None:
        await wait_until(lambda: refused >= 100, timeout=60)
        page.keys = [make_jwk("k2"), *page.keys]
        while not rotated.is_set():
            with suppress(UnknownKidError, KeysUnavailableError):
                assert await draw.choice(nodes).kids(client, "k2") == ["k2"]
                rotated.set()
            await asyncio.sleep(0.02)

    began = time.monotonic()
    async with fleet_of(5, redis_url, **_UNPOLLED) as nodes:
        assert await nodes[0].kids(client, "k1") == ["k1"]
        await asyncio.gather(rotate(nodes), *(junk(node) for node in nodes * 8))
    assert server.requests["/jwks"] <= most_requests(time.monotonic() - began, changes=1)


async def test_first_tries_with_a_new_key_succeed_while_somebody_sends_junk(
    redis_url: str, server: JwksServer
) -> None:
    """The junk uses up every allowance, and a request waits for the next one."""
    page = server.pages["/jwks"] = Page([make_jwk("k0")])
    client = client_of(server.url("/jwks"))
    draw = random.Random(3)
    tries, found = 20, 0

    async def junk(nodes: list[Node]) -> None:
        with suppress(UnknownKidError, KeysUnavailableError):
            await draw.choice(nodes).kids(client, f"junk-{draw.random()}")

    async def send_junk(nodes: list[Node]) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(junk(nodes))
                await asyncio.sleep(0.4 * QUICK.min_interval)

    began = time.monotonic()
    # Equivalent to two minutes at the default interval.
    async with fleet_of(3, redis_url, new_key_timeout=12 * QUICK.min_interval, **_UNPOLLED) as nodes:
        assert await nodes[0].kids(client, "k0") == ["k0"]
        sending = asyncio.create_task(send_junk(nodes))
        await wait_until(lambda: server.requests["/jwks"] > QUICK.demand_burst, timeout=60)
        for number in range(1, tries + 1):
            await asyncio.sleep(draw.uniform(0.0, QUICK.min_interval))
            page.keys = [make_jwk(f"k{number}"), *page.keys[:1]]
            with suppress(UnknownKidError, KeysUnavailableError):
                assert await draw.choice(nodes).kids(client, f"k{number}") == [f"k{number}"]
                found += 1
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    assert found >= 0.95 * tries
    assert server.requests["/jwks"] <= most_requests(time.monotonic() - began, changes=tries)


async def test_a_withdrawn_key_is_refused_when_the_set_is_no_longer_fresh(
    redis_url: str, redis: Redis, server: JwksServer
) -> None:
    page = server.pages["/jwks"] = Page([make_jwk("old"), make_jwk("kept")])
    client = client_of(server.url("/jwks"))
    async with fleet_of(2, redis_url) as nodes:
        for node in nodes:
            assert await node.kids(client, "old") == ["old"]
        page.keys = page.keys[1:]

        async def refused(node: Node) -> bool:
            with suppress(UnknownKidError):
                return await node.kids(client, "old") != ["old"]
            return True

        for node in nodes:
            await wait_until(partial(refused, node))
            assert await node.kids(client, "kept") == ["kept"]
        assert server.answers["/jwks", 200] >= 2, "nobody asked for a new key: it was fetched when it was due"
