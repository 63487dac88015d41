"""Requests' view: thousands of junk kids over five nodes, and a real key among them."""

import asyncio
import random
import time
from dataclasses import dataclass

from benchmarks.key_sets.surroundings import LOOPBACK, REALM, client_of, jwks_server, nodes_of, redis_server
from keyturn_shared.oauth.key_errors import KeysUnavailableError, UnknownKidError
from keyturn_shared.projection import ClientProjection
from keyturn_verifier.key_sets.policy import KeySetPolicy
from keyturn_verifier.key_sets.wiring import KeySetWiring

POLICY = KeySetPolicy(allowed_networks=LOOPBACK)


@dataclass(frozen=True)
class JunkResult:
    """Seconds. ``new_key``: from publishing a key among the junk until it worked."""

    requests: int
    refused: int
    seconds: float
    requests_to_url: int
    new_key: float


async def found(node: KeySetWiring, client: ClientProjection, kid: str) -> bool:
    assert node.lookup is not None
    try:
        return bool(await node.lookup.find(REALM, client, kid, "ES256"))
    except (UnknownKidError, KeysUnavailableError):
        return False


async def junk(requests: int, seconds: float) -> JunkResult:
    """Send requests with random kids, evenly over the time and five nodes; a key is published half way."""
    draw = random.Random(3)
    refused = 0

    async def one(node: KeySetWiring, client: ClientProjection) -> None:
        nonlocal refused
        known = await found(node, client, f"junk-{draw.random()}")
        refused += not known

    with redis_server() as redis_url:
        async with jwks_server(hosts=1) as site, nodes_of(5, redis_url, POLICY) as nodes:
            client = client_of(site.url(0))
            await site.publish(0, "first")
            assert await found(nodes[0], client, "first")
            began = time.monotonic()

            async def rotate() -> float:
                await asyncio.sleep(seconds * 0.45)
                await site.publish(0, "second")
                published = time.monotonic()
                # The condition is in Redis and has no event.
                while not await found(draw.choice(nodes), client, "second"):  # noqa: ASYNC110 - see above
                    await asyncio.sleep(0.05)
                return time.monotonic() - published

            rotation = asyncio.create_task(rotate())
            tasks: set[asyncio.Task[None]] = set()
            for number in range(requests):
                ahead = number / requests * seconds - (time.monotonic() - began)
                if ahead > 0.002:
                    await asyncio.sleep(ahead)
                task = asyncio.create_task(one(nodes[number % 5], client))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            await asyncio.gather(*tasks)
            took = time.monotonic() - began
            new_key = await rotation
            return JunkResult(requests, refused, took, (await site.counts())["/0"], new_key)
