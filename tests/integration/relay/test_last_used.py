"""Last-used records stay small, and are deleted with their clients."""

from redis.asyncio import Redis

from keyturn_credentials.operations.targets import ClientTarget
from keyturn_credentials.relay.deleted_clients import DeletedClients
from keyturn_shared.fleet.last_used import KEPT_SECONDS, MAX_CREDENTIALS, LastUsedRegistry
from tests.integration.relay.conftest import ACTOR, Scene
from tests.integration.relay.seen import LAYOUT, a_client_of_acme


async def test_of_very_many_credentials_those_used_last_are_remembered(redis: Redis) -> None:
    registry = LastUsedRegistry(redis)
    await registry.write({("c", f"secret:{number}"): 1_000.0 + number for number in range(200)})
    assert await registry.read("c") == {
        f"secret:{number}": 1_000.0 + number for number in range(200 - MAX_CREDENTIALS, 200)
    }
    await registry.write({("c", "secret:0"): 5_000.0})
    found = await registry.read("c")
    assert len(found) == MAX_CREDENTIALS
    assert found["secret:0"] == 5_000.0
    assert 0 < await redis.ttl(LAYOUT.uses("c")) <= KEPT_SECONDS
    await registry.write({})


async def test_what_others_write_into_a_record_is_passed_over(redis: Redis) -> None:
    registry = LastUsedRegistry(redis)
    await registry.write({("c", "secret:1"): 1_000.0})
    for name, odd in enumerate((b"soon", b"", b"inf", b"nan", b"\xff")):
        await redis.hset(LAYOUT.uses("c"), f"key:{name}", odd)
    assert await registry.read("c") == {"secret:1": 1_000.0}


async def test_the_record_of_a_deleted_client_goes_also_when_a_node_wrote_it_late(scene: Scene) -> None:
    registry = LastUsedRegistry(scene.redis)
    uuid = await a_client_of_acme(scene)
    relay = scene.relay()
    await relay.inspect()
    await scene.clients.delete(ClientTarget(ACTOR, "acme", uuid))
    now = [0.0]
    deleted = DeletedClients(relay._channel, lambda: now[0])
    deleted.note(await scene.log.read(1, 100))
    await deleted.forget()
    await registry.write({(uuid, "secret:1"): 1_000.0, ("another", "secret:1"): 1_000.0})
    now[0] = 9.9
    await deleted.forget()
    assert await registry.read(uuid), "nodes may still write"
    now[0] = 10.0
    await deleted.forget()
    assert await registry.read(uuid) == {}
    assert await registry.read("another") == {"secret:1": 1_000.0}


async def test_the_relay_notes_each_deletion_that_it_publishes(scene: Scene) -> None:
    uuid = await a_client_of_acme(scene)
    relay = scene.relay()
    await relay.inspect()
    await scene.clients.delete(ClientTarget(ACTOR, "acme", uuid))
    await relay.inspect()
    assert [waiting for _, waiting in relay._deleted._waiting] == [uuid]
