"""Polling in the background, on real Redis and HTTP."""

import asyncio
import contextlib
import os
import signal
import time
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from redis.asyncio import Redis

from keyturn_shared.clock import SystemClock
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.key_set_address import KeySetAddress
from keyturn_shared.key_sets.inspection import KeySetInspector
from keyturn_shared.oauth.key_errors import KeysUnavailableError
from keyturn_verifier.key_sets.manual_refresh import refresh
from keyturn_verifier.key_sets.record_transitions import Attempt, with_keys
from keyturn_verifier.key_sets.redis_repository import SCRIPTS_PACKAGE, Answer, KeySetRepository, Queue
from tests.integration.key_sets.fleet import (
    LAYOUT,
    QUICK,
    Node,
    client_of,
    fetcher_process,
    fleet_of,
    make_jwk,
    record_of,
)
from tests.testkit.jwks_server import JwksServer, Page
from tests.testkit.key_set_requirements import ANY
from tests.testkit.key_set_seal import seal
from tests.testkit.waiting import wait_until


async def test_key_sets_in_use_are_polled_with_conditions_and_a_change_reaches_every_node(
    redis_url: str, server: JwksServer
) -> None:
    page = server.pages["/jwks"] = Page([make_jwk("k1")])
    client = client_of(server.url("/jwks"))
    async with fleet_of(3, redis_url) as nodes:
        for node in nodes:
            await node.kids(client, "k1")
        await wait_until(lambda: server.answers["/jwks", 304] >= 1)
        assert server.answers["/jwks", 200] == 1
        page.keys = [make_jwk("k2")]
        await wait_until(lambda: server.answers["/jwks", 200] == 2)
        await asyncio.sleep(0.1)
        before = server.requests["/jwks"]
        assert [await node.kids(client, "k2") for node in nodes] == [["k2"]] * 3
        assert server.requests["/jwks"] == before


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_fetcher_that_dies_or_freezes_in_mid_fetch_is_replaced(
    redis_url: str, redis: Redis, server: JwksServer, end: signal.Signals
) -> None:
    page = server.pages["/jwks"] = Page([make_jwk("k1")])
    client = client_of(server.url("/jwks"))
    async with fleet_of(1, redis_url, polls=False) as [node]:
        await node.kids(client, "k1")
    async with fetcher_process(redis_url) as process:
        page.hang = 0.4
        await wait_until(lambda: server.hanging == 1)
        os.kill(process.pid, end)
        page.hang, page.keys = 0.0, [make_jwk("k2")]
        answered = server.answers["/jwks", 200]
        async with fleet_of(1, redis_url):
            await wait_until(lambda: server.answers["/jwks", 200] > answered)
            if end is signal.SIGSTOP:
                os.kill(process.pid, signal.SIGCONT)
                await asyncio.sleep(0.3)
            record = await record_of(redis, client.jwks_url or "")
            assert record is not None
            assert [jwk["kid"] for jwk in record.keys] == ["k2"]


async def test_a_claim_that_ran_out_stores_nothing(redis: Redis, server: JwksServer) -> None:
    policy = replace(QUICK, lease=0.1, fetch_timeout=0.1)
    late, next_one = (
        KeySetRepository(RedisScripts(redis, SCRIPTS_PACKAGE), policy, worker, seal())
        for worker in ("late", "next")
    )
    address = KeySetAddress.of("https://client.example/jwks")
    first = (await late.demand(address, 0, "keys", ANY)).lease
    assert first is not None
    assert (await next_one.demand(address, 0, "keys", ANY)).answer is Answer.IN_PROGRESS
    await asyncio.sleep(0.12)
    second = (await next_one.demand(address, 0, "keys", ANY)).lease
    assert second is not None
    for claim, kid, stored in ((first, "old", False), (second, "new", True), (second, "again", False)):
        keys = KeySet.from_members({"keys": [make_jwk(kid)]})
        attempt = Attempt(claim.generation, claim.as_of, time.time(), 0.0)
        record = with_keys(claim.record, attempt, keys, {}, policy)
        outcome = await late.store(claim, record, changed=True, keep=10, due_in=1)
        assert outcome.stored is stored
    [found] = await late.read([address.id])
    assert found is not None
    assert [jwk["kid"] for jwk in found.keys] == ["new"]


async def test_hanging_urls_do_not_delay_good_ones(redis_url: str, redis: Redis, server: JwksServer) -> None:
    good = [f"/good/{number}" for number in range(60)]
    bad = [f"/bad/{number}" for number in range(60)]
    for path in (*good, *bad):
        server.pages[path] = Page([make_jwk("k1")])
    policy: dict[str, Any] = {
        "retry_concurrency": 4,
        "concurrency": 80,
        "host_concurrency": 200,
        "default_freshness": 1.5,
        "lease": 6.0,
        "fetch_timeout": 5.0,  # a good one must not fail because 120 are fetched at once
    }
    async with fleet_of(1, redis_url, find_timeout=30.0, **policy) as [node]:
        clients = [client_of(server.url(path)) for path in (*good, *bad)]
        await asyncio.gather(*(node.kids(client, "k1") for client in clients))
        for path in bad:
            server.pages[path].hang = 30.0
        await wait_until(lambda: server.hanging >= 4)
        before = dict(server.requests)
        await wait_until(lambda: all(server.requests[path] >= before[path] + 2 for path in good), timeout=60)
        for path in good:
            record = await record_of(redis, server.url(path))
            assert record is not None
            assert record.failures == 0

        async def most_bad_ones_are_retries() -> bool:
            depth = await node.parts.channel.depth()
            return depth[Queue.RETRIES].queued > len(bad) / 2

        await wait_until(most_bad_ones_are_retries, timeout=60)


async def test_one_host_is_asked_by_few_at_a_time(redis_url: str, server: JwksServer) -> None:
    most = 0
    for number in range(24):
        server.pages[f"/{number}"] = Page([make_jwk("k1")])
    async with fleet_of(2, redis_url, host_concurrency=3) as nodes:
        for number in range(24):
            await nodes[0].kids(client_of(server.url(f"/{number}")), "k1")
        for page in server.pages.values():
            page.hang = 0.1
        until = time.monotonic() + 2
        while time.monotonic() < until or most < 2:
            most = max(most, server.hanging)
            await asyncio.sleep(0.005)
    assert most <= 3


async def test_what_nobody_uses_is_no_longer_polled(redis_url: str, redis: Redis, server: JwksServer) -> None:
    server.pages["/jwks"] = Page([make_jwk("k1")])
    async with fleet_of(1, redis_url, idle=0.5) as [node]:
        await node.kids(client_of(server.url("/jwks")), "k1")
        await asyncio.sleep(2.5)
    assert server.requests["/jwks"] == 1
    assert await redis.zcard(LAYOUT.due) == 0
    assert await redis.hlen(LAYOUT.used) == 0


async def test_use_goes_on_being_noticed(redis_url: str, server: JwksServer) -> None:
    server.pages["/jwks"] = Page([make_jwk("k1")])
    client = client_of(server.url("/jwks"))
    async with fleet_of(1, redis_url, idle=1.6) as [node]:
        while server.answers["/jwks", 304] < 2:  # the second is later than idle allows
            assert await node.kids(client, "k1") == ["k1"]
            await asyncio.sleep(0.05)


async def test_an_outage_serves_the_old_keys_for_a_bounded_time_only(
    redis_url: str, redis: Redis, server: JwksServer
) -> None:
    page = server.pages["/jwks"] = Page([make_jwk("k1")])
    client = client_of(server.url("/jwks"))
    async with fleet_of(2, redis_url) as nodes:
        assert [await node.kids(client, "k1") for node in nodes] == [["k1"]] * 2
        page.status = 503
        await wait_until(lambda: server.answers["/jwks", 503] > 0)

        async def serves(node: Node) -> bool:
            with contextlib.suppress(KeysUnavailableError):
                return await node.kids(client, "k1") == ["k1"]
            return False

        async def refuses(node: Node) -> bool:
            return not await serves(node)

        for node in nodes:
            await wait_until(partial(refuses, node))
        record = await record_of(redis, client.jwks_url or "")
        assert record is not None
        assert record.fetched_at + QUICK.default_freshness + QUICK.outage <= time.time()
        page.status = 200
        for node in nodes:
            await wait_until(partial(serves, node))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"keys": []}', "no_usable_keys"),
        (b'{"keys": [{"kty": "OKP", "crv": "X25519", "x": "AAAA"}]}', "no_usable_keys"),
        (b"<html>maintenance</html>", "invalid_key_set"),
        (b'{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}', "invalid_key_set"),
    ],
)
async def test_an_empty_or_broken_answer_never_replaces_a_good_set(
    redis_url: str, redis: Redis, server: JwksServer, body: bytes, reason: str
) -> None:
    page = server.pages["/jwks"] = Page([make_jwk("k1")])
    url = server.url("/jwks")
    client = client_of(url)
    async with fleet_of(1, redis_url, polls=True) as [node]:
        await node.kids(client, "k1")
        page.body = body
        result = await refresh(node.parts.channel, KeySetAddress.of(url), SystemClock(), timeout=5)
        assert result.record is not None
        assert result.record.failure == reason
        assert await node.kids(client, "k1") == ["k1"]
        health = await KeySetInspector(redis, seal()).inspect(KeySetAddress.of(url))
        assert health is not None
        assert (health.failure, health.polled, [key.kid for key in health.keys]) == (reason, True, ["k1"])


async def test_a_refresh_is_answered_by_a_fetcher_and_bounded_like_demands(
    redis_url: str, server: JwksServer
) -> None:
    server.pages["/jwks"] = Page([make_jwk("k1")])
    address = KeySetAddress.of(server.url("/jwks"))
    seldom: dict[str, Any] = dict.fromkeys(
        ("min_interval", "min_freshness", "max_demand_backoff", "max_backoff"), 5.0
    )
    seldom.update(default_freshness=6.0, max_freshness=7.0)
    async with fleet_of(1, redis_url, **seldom) as [node]:
        results = [await refresh(node.parts.channel, address, SystemClock(), timeout=5) for _ in range(5)]
    assert results[0].record is not None
    assert [jwk["kid"] for jwk in results[0].record.keys] == ["k1"]
    assert results[-1].record is None
    assert 3 < results[-1].retry_after <= 5
    assert server.requests["/jwks"] == 3  # two allowed, and the first one brought keys
