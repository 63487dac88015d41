"""Nodes in trouble: with a wrong clock, slow, cut off from Redis, gone and come back."""

from contextlib import AsyncExitStack
from functools import partial
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis

from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_shared.fleet.registry import NodeStatus, status_of
from keyturn_shared.projection import RealmProjection
from keyturn_verifier.replica.lease import LeaseState
from tests.integration.verifier.deaf_member import Deaf
from tests.testkit.filled_redis import Filling, client_of
from tests.testkit.nodes import RunningNode, eventually, running_node
from tests.testkit.tcp_proxy import TcpProxy, tcp_proxy

LEASE_SECONDS = 1.5
MARGIN_SECONDS = 0.5


@pytest.fixture
async def filling(redis: Redis, realm: RealmProjection) -> Filling:
    """Short leases."""
    filled = Filling.on(redis, lease=LEASE_SECONDS, margin=MARGIN_SECONDS)
    await filled.open(realm)
    await filled.change(realm, client_of(realm, "worker", uuid="w", secret="former"))
    return filled


@pytest.mark.parametrize("ahead", [-86_400.0, 86_400.0])
async def test_a_wrong_wall_clock_changes_nothing_about_the_lease(
    filling: Filling, redis_url: str, realm: RealmProjection, ahead: float
) -> None:
    async with running_node(redis_url, renewal_seconds=0.2) as node:
        node.clock.ahead = ahead
        assert (await node.token_by_secret("acme", "worker", "former")).status_code == 200
        sequence = await filling.change(realm, client_of(realm, "worker", uuid="w", secret="new"))
        await eventually(lambda: _safe(filling, sequence))
        assert (await filling.summary(sequence)).applied == 1
        assert (await node.token_by_secret("acme", "worker", "former")).status_code == 401
        assert (await node.token_by_secret("acme", "worker", "new")).status_code == 200


async def _accepts(node: RunningNode, secret: str) -> bool:
    return (await node.token_by_secret("acme", "worker", secret)).status_code == 200


@pytest.mark.parametrize("manner", [TcpProxy.cut, TcpProxy.fall_silent])
async def test_a_node_cut_off_from_redis_is_fenced_and_comes_back_at_the_head(
    filling: Filling, redis_server: EmbeddedRedis, realm: RealmProjection, manner: object
) -> None:
    assert callable(manner)
    async with AsyncExitStack() as stack:
        way = await stack.enter_async_context(tcp_proxy(redis_server.port))
        address = urlsplit(redis_server.url)
        through = f"redis://:{address.password}@127.0.0.1:{way.port}/0"
        lonely = await stack.enter_async_context(running_node(through, renewal_seconds=0.2))
        others = await stack.enter_async_context(running_node(redis_server.url, renewal_seconds=0.2))
        for node in (lonely, others):
            await eventually(partial(_accepts, node, "former"))
        manner(way)
        sequence = await filling.change(realm, client_of(realm, "worker", uuid="w", secret="new"))
        await eventually(lambda: _applied(filling, sequence))
        assert len((await filling.summary(sequence)).pending) == 1
        await eventually(lambda: _safe(filling, sequence))
        assert (await filling.summary(sequence)).fenced == 1
        assert (await lonely.token_by_secret("acme", "worker", "former")).status_code == 503
        assert (await others.token_by_secret("acme", "worker", "former")).status_code == 401
        way.restore()
        await eventually(lonely.ready, seconds=20)
        assert (await lonely.token_by_secret("acme", "worker", "former")).status_code == 401
        assert (await lonely.token_by_secret("acme", "worker", "new")).status_code == 200


async def test_a_node_that_renews_but_does_not_get_on_is_fenced_a_term_after_the_publication(
    filling: Filling, redis: Redis, realm: RealmProjection
) -> None:
    slow = Deaf(redis)
    await slow.heartbeat.round()
    sequence = await filling.change(realm, client_of(realm, "worker", uuid="w", secret="new"))

    async def safe_while_it_renews() -> bool:
        await slow.heartbeat.round()  # on a stopped clock, so it never gives up waiting for its subscription
        return (await filling.summary(sequence)).safe

    await eventually(safe_while_it_renews)
    view = await filling.registry.view(sequence)
    assert [status_of(each, view, sequence) for each in view.nodes] == [NodeStatus.FENCED]
    assert view.nodes[0].expires_at > view.now, "it goes on renewing"
    slow.time += LEASE_SECONDS
    assert slow.lease.state is LeaseState.FENCED, "none of its renewals counted"


async def test_a_node_registers_renews_leaves_and_comes_back_as_another_member(
    filling: Filling, redis_url: str
) -> None:
    async def members() -> dict[str, int]:
        return {each.node_id: each.renewed_at for each in (await filling.registry.view()).nodes}

    async with running_node(redis_url, node_id="n", renewal_seconds=0.05):
        first = await members()
        assert [name.partition(".")[0] for name in first] == ["n"]

        async def renewed() -> bool:
            return list((await members()).values()) > list(first.values())

        await eventually(renewed)
    assert await members() == {}
    async with running_node(redis_url, node_id="n"):
        assert (await members()).keys().isdisjoint(first)


async def _safe(filling: Filling, sequence: int) -> bool:
    return (await filling.summary(sequence)).safe


async def _applied(filling: Filling, sequence: int) -> bool:
    return (await filling.summary(sequence)).applied == 1
