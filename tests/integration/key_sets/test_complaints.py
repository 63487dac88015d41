"""Complaints of users of other software, one test each, named after their source."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from redis.asyncio import Redis

from keyturn_shared.clock import SystemClock
from keyturn_shared.jose.signing import SigningKey, header_segment
from keyturn_shared.key_set_address import KeySetAddress
from keyturn_shared.oauth.key_errors import UnknownKidError
from keyturn_verifier.key_sets.manual_refresh import refresh
from tests.integration.key_sets.fleet import client_of, fleet_of, make_jwk, record_of
from tests.testkit import filled_redis
from tests.testkit.jwks_server import JwksServer, Page
from tests.testkit.nodes import RunningNode, assertion, assertion_claims, running_node
from tests.testkit.waiting import wait_until

BRIEF: dict[str, Any] = {"default_freshness": 1.0, "max_freshness": 1.0}


@dataclass
class Scene:
    """A node, and a client whose keys are at a URL."""

    node: RunningNode
    page: Page

    async def status(self, key: SigningKey) -> int:
        answer = await self.node.token_by_assertion("acme", assertion(key, "billing", "acme"))
        return answer.status_code


@pytest.fixture
async def scene(redis_url: str, redis: Redis, server: JwksServer) -> AsyncIterator[Scene]:
    realm = filled_redis.realm_of("acme")
    url = server.url("/jwks")
    client = filled_redis.client_of(realm, "billing", authenticator="client-jwt", jwks_url=url)
    await filled_redis.Filling.on(redis).open(realm, client)
    page = server.pages["/jwks"] = Page()
    async with running_node(redis_url, jwks_allowed_networks="127.0.0.0/8") as node:
        yield Scene(node, page)


async def test_keycloak_14263_a_new_key_under_the_same_kid_is_taken_at_once(scene: Scene) -> None:
    """A failed signature triggers another fetch, since the key may have changed."""
    old, new = (SigningKey.generate("ES256", kid="the-key") for _ in range(2))
    scene.page.keys = [old.public_jwk]
    assert await scene.status(old) == 200
    scene.page.keys = [new.public_jwk]
    assert await scene.status(new) == 200
    assert await scene.status(old) == 401


async def test_a_new_key_without_a_kid_is_taken_at_once(scene: Scene) -> None:
    for _ in range(3):
        key = SigningKey.generate("ES256")
        scene.page.keys = [{name: value for name, value in key.public_jwk.items() if name != "kid"}]
        unnamed = key.sign_compact(header_segment("ES256"), assertion_claims("billing", "acme"))
        answer = await scene.node.token_by_assertion("acme", unnamed)
        assert answer.status_code == 200, answer.text


async def test_signatures_that_do_not_hold_cost_the_client_no_more_than_unknown_kids(
    scene: Scene, server: JwksServer
) -> None:
    key, stranger = (SigningKey.generate("ES256", kid="the-key") for _ in range(2))
    scene.page.keys = [key.public_jwk]
    assert await scene.status(key) == 200
    # In parallel: each of them may wait until the URL may be fetched again.
    assert await asyncio.gather(*(scene.status(stranger) for _ in range(30))) == [401] * 30
    assert await scene.status(key) == 200
    assert server.requests["/jwks"] <= 1 + 2 + 1


async def test_keycloak_14794_and_15616_one_kid_for_two_algorithms(scene: Scene) -> None:
    ec, rsa = (SigningKey.generate(alg, kid="the-key") for alg in ("ES256", "RS256"))
    for keys in ([ec, rsa], [rsa, ec]):
        scene.page.keys = [key.public_jwk for key in keys]
        assert [await scene.status(key) for key in keys] == [200, 200]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_keycloak_45645_51219_47276_neither_url_nor_redirect_leads_inside(
    redis_url: str, redis: Redis, server: JwksServer, status: int
) -> None:
    server.pages["/secret"] = Page([make_jwk("inside")])
    server.pages["/jwks"] = Page(status=status, headers={"location": server.url("/secret")})
    async with fleet_of(1, redis_url, allowed_networks=()) as [node]:
        await refresh(node.parts.channel, KeySetAddress.of(server.url("/secret")), SystemClock(), timeout=20)
    record = await record_of(redis, server.url("/secret"))
    assert record is not None
    assert record.failure == "address_not_allowed"
    await redis.flushdb()  # otherwise those that may would fetch again
    async with fleet_of(1, redis_url) as [node]:
        await refresh(node.parts.channel, KeySetAddress.of(server.url("/jwks")), SystemClock(), timeout=20)
    record = await record_of(redis, server.url("/jwks"))
    assert record is not None
    assert record.failure == "redirect"
    assert server.requests["/secret"] == 0


async def test_hydra_2535_and_spring_security_11621_and_envoy_36458_a_new_kid_is_fetched_at_once(
    redis_url: str, server: JwksServer
) -> None:
    page = server.pages["/jwks"] = Page([make_jwk("k1")], headers={"cache-control": "max-age=86400"})
    client = client_of(server.url("/jwks"))
    async with fleet_of(1, redis_url, polls=False, find_timeout=20.0) as [node]:
        assert await node.kids(client, "k1") == ["k1"]
        page.keys.append(make_jwk("k2"))
        assert await node.kids(client, "k2") == ["k2"]
    assert server.requests["/jwks"] == 2


async def test_spring_security_5853_and_7474_a_removed_key_goes_with_the_next_answer(
    redis_url: str, server: JwksServer
) -> None:
    page = server.pages["/jwks"] = Page([make_jwk("removed"), make_jwk("kept")])
    client = client_of(server.url("/jwks"))
    async with fleet_of(1, redis_url, find_timeout=20.0) as [node]:
        assert await node.kids(client, "removed") == ["removed"]
        page.keys = page.keys[1:]

        async def refused() -> bool:
            try:
                await node.kids(client, "removed")
            except UnknownKidError:
                return True
            return False

        await wait_until(refused, timeout=30)
        assert await node.kids(client, "kept") == ["kept"]


async def test_spring_security_19643_an_outage_is_tolerated(redis_url: str, server: JwksServer) -> None:
    page = server.pages["/jwks"] = Page([make_jwk("k1")])
    client = client_of(server.url("/jwks"))
    async with fleet_of(1, redis_url, outage=60.0, **BRIEF) as [node]:
        assert await node.kids(client, "k1") == ["k1"]
        page.status = 503
        while server.answers["/jwks", 503] < 2:
            assert await node.kids(client, "k1") == ["k1"]
            await asyncio.sleep(0.05)


async def test_istio_51636_one_bad_uri_does_not_block_the_refresh_of_good_ones(
    redis_url: str, server: JwksServer
) -> None:
    bad, good = (server.pages.setdefault(path, Page([make_jwk("k1")])) for path in ("/bad", "/good"))
    async with fleet_of(1, redis_url, concurrency=1, retry_concurrency=1, find_timeout=20.0, **BRIEF) as [
        node
    ]:
        for path in ("/bad", "/good"):
            await node.kids(client_of(server.url(path)), "k1")
        bad.hang = 30.0
        good.keys = [make_jwk("k2")]
        await wait_until(lambda: server.answers["/good", 200] >= 2, timeout=30)
        good.keys = [make_jwk("k3")]
        await wait_until(lambda: server.answers["/good", 200] >= 3, timeout=30)


async def test_istio_58101_good_keys_are_kept_on_a_fetch_error(
    redis_url: str, redis: Redis, server: JwksServer
) -> None:
    page = server.pages["/jwks"] = Page([make_jwk("k1")])
    address = KeySetAddress.of(server.url("/jwks"))
    client = client_of(address.url)
    async with fleet_of(1, redis_url, outage=60.0, find_timeout=20.0, **BRIEF) as [node]:
        await node.kids(client, "k1")
        page.status = 500
        await wait_until(lambda: server.answers["/jwks", 500] >= 2, timeout=30)
        assert await node.kids(client, "k1") == ["k1"]
    record = await record_of(redis, address.url)
    assert record is not None
    assert [key["kid"] for key in record.keys] == ["k1"]


async def test_istio_37710_an_update_can_be_forced(redis_url: str, server: JwksServer) -> None:
    page = server.pages["/jwks"] = Page([make_jwk("k1")])
    address = KeySetAddress.of(server.url("/jwks"))
    slow: dict[str, Any] = {"default_freshness": 600.0, "max_freshness": 900.0}
    async with fleet_of(1, redis_url, find_timeout=20.0, **slow) as [node]:
        await node.kids(client_of(address.url), "k1")
        page.keys = [make_jwk("k2")]
        forced = await refresh(node.parts.channel, address, SystemClock(), timeout=30)
    assert forced.record is not None
    assert [key["kid"] for key in forced.record.keys] == ["k2"]


async def test_okta_30_and_jwks_rsa_110_a_bad_kid_is_remembered_by_nobody(
    redis_url: str, server: JwksServer
) -> None:
    """A kid that was unknown works like any other once it is published."""
    page = server.pages["/jwks"] = Page([make_jwk("k1")])
    client = client_of(server.url("/jwks"))
    async with fleet_of(1, redis_url, polls=False, find_timeout=20.0) as [node]:
        await node.kids(client, "k1")
        with pytest.raises(UnknownKidError):
            await node.kids(client, "k2")
        page.keys = [make_jwk("k2")]
        assert await node.kids(client, "k2") == ["k2"]
