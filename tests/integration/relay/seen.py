"""State that a relay left in Redis, and a client for it to relay."""

import json

from redis.asyncio import Redis

from keyturn_shared.fleet.layout import Layout
from keyturn_shared.position import Position
from tests.integration.relay.conftest import ACTOR, Scene
from tests.testkit.redis_reading import entries_of, fields_of

LAYOUT = Layout()


async def stream(redis: Redis) -> list[tuple[Position, str]]:
    entries = await entries_of(redis, LAYOUT.events)
    return [(Position.parse(entry), json.loads(fields[b"__data__"])["type"]) for entry, fields in entries]


async def projections(scene: Scene) -> dict[str, bytes]:
    head = (await scene.relay()._channel.look()).head
    assert head is not None
    found = await fields_of(scene.redis, LAYOUT.projections(head.position.epoch))
    return {field.decode(): value for field, value in found.items() if field != b"complete"}


async def add_client(scene: Scene, name: str) -> str:
    done = await scene.clients.create(ACTOR, "acme", {"clientId": name})
    return done.value[0].uuid


async def a_client_of_acme(scene: Scene) -> str:
    await scene.realms.create(ACTOR, {"realm": "acme"})
    return await add_client(scene, "a")
