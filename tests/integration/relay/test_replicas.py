"""A Redis that is not a primary, or has lost its replicas, gives no lease and is not a new epoch."""

import asyncio

import pytest

from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.membership import MembershipChannel
from keyturn_shared.position import BEGINNING
from tests.integration.relay.conftest import ACTOR, Scene


async def test_a_demoted_primary_says_so_instead_of_answering_from_what_it_has(scene: Scene) -> None:
    await scene.realms.create(ACTOR, {"realm": "acme"})
    relay = scene.relay()
    await relay.inspect()
    await scene.redis.replicaof("127.0.0.1", "1")
    try:
        with pytest.raises(RedisUnavailableError, match="replica"):
            await MembershipChannel(scene.scripts, "n1").renew(BEGINNING, "{}")
        with pytest.raises(RedisUnavailableError, match="replica"):
            await scene.registry.view()
        with pytest.raises(RedisUnavailableError, match="replica"):
            await relay.inspect()
    finally:
        await scene.redis.replicaof("NO", "ONE")
    assert await relay.inspect()


async def test_a_primary_that_lost_its_replicas_gives_no_lease_and_opens_no_epoch(
    scene: Scene, redis_server: EmbeddedRedis
) -> None:
    await scene.realms.create(ACTOR, {"realm": "acme"})
    relay = scene.relay()
    await relay.inspect()
    epoch = (await scene.log.fleet_state()).epoch
    await scene.redis.config_set("min-replicas-to-write", 1)
    try:
        with pytest.raises(RedisUnavailableError, match="NOREPLICAS"):
            await MembershipChannel(scene.scripts, "n1").renew(BEGINNING, "{}")
        await scene.clients.create(ACTOR, "acme", {"clientId": "a"})
        with pytest.raises(RedisUnavailableError, match="NOREPLICAS"):
            await relay.publish_new()
    finally:
        await scene.redis.config_set("min-replicas-to-write", 0)
    await asyncio.sleep(0)
    assert await relay.inspect()
    assert (await scene.log.fleet_state()).epoch == epoch
