"""A client rotates its key repeatedly under load, with a fleet that fetches its keys."""

import asyncio
from collections import Counter
from typing import Any

from redis.asyncio import Redis

from keyturn import ClientCredentials, ClientKeys, JwksEndpoint, rotate
from keyturn_shared.jose.signing import SigningKey
from tests.testkit.filled_redis import Filling, client_of, realm_of
from tests.testkit.nodes import BASE_URL, RunningNode, running_node
from tests.testkit.served import served

ROTATIONS = 3


async def test_rotations_under_load_cost_no_request(redis: Redis, redis_url: str) -> None:
    keys = ClientKeys(SigningKey.generate(), withdrawn_after=3)
    credentials = ClientCredentials(f"{BASE_URL}/realms/acme", "worker", keys)
    fleet: dict[str, Any] = {
        "fetcher_enabled": True,
        "jwks_min_interval": 0.5,
        "jwks_allowed_networks": "127.0.0.0/8",
    }
    async with served(JwksEndpoint(keys, max_age=1)) as url:
        realm = realm_of("acme")
        worker = client_of(realm, "worker", authenticator="client-jwt", jwks_url=f"{url}/k_jwks")
        await Filling.on(redis).open(realm, worker)
        async with running_node(redis_url, **fleet) as one, running_node(redis_url, **fleet) as other:
            answers: Counter[int] = Counter()
            over = asyncio.Event()

            async def load(node: RunningNode) -> None:
                while not over.is_set():
                    answers[(await node.http.send(credentials.token_request())).status_code] += 1
                    await asyncio.sleep(0.005)

            loads = [asyncio.create_task(load(node)) for node in (one, other) for _ in range(2)]
            kids = [keys.signing.kid]
            for turn in range(ROTATIONS):
                await rotate(
                    keys, credentials, (one, other)[turn % 2].http, settled_after=0.6, proved_every=0.1
                )
                kids.append(keys.signing.kid)
                await asyncio.sleep(0.3)
            over.set()
            await asyncio.gather(*loads)
    assert len(set(kids)) == ROTATIONS + 1
    assert set(answers) == {200}, answers
    assert answers[200] > 20 * ROTATIONS
