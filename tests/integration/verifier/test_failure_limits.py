"""Failed authentications are limited per client and address, in the whole fleet."""

import asyncio
from collections import Counter
from typing import Any

import httpx

from keyturn_shared.projection import RealmProjection
from tests.testkit.filled_redis import Filling, client_of
from tests.testkit.nodes import RunningNode, basic, eventually, running_node

SECRET = "a secret"
LIMITS: dict[str, Any] = {"failure_limit_client": 5, "failure_limit_address": 40, "failure_window": 60}


async def ask(
    node: RunningNode, secret: str, address: str | None, client_id: str = "worker"
) -> httpx.Response:
    headers = {"Authorization": basic(client_id, secret)}
    return await node.token(
        "acme", {}, headers=headers if address is None else headers | {"X-Forwarded-For": address}
    )


async def test_an_attacker_is_refused_on_every_node_and_the_real_client_on_none(
    filling: Filling, realm: RealmProjection, redis_url: str
) -> None:
    await filling.change(realm, client_of(realm, "worker", secret=SECRET))
    async with running_node(redis_url, **LIMITS) as one, running_node(redis_url, **LIMITS) as other:
        for node, times in ((one, 3), (other, 2)):
            for _ in range(times):
                assert (await ask(node, "wrong", "198.51.100.9")).status_code == 401

        async def refused() -> bool:
            return (await ask(other, SECRET, "198.51.100.9")).status_code == 429

        await eventually(refused)
        answer = await ask(other, SECRET, "198.51.100.9")
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert answer.json()["error"] == "temporarily_unavailable"
        for node in (one, other):
            assert (await ask(node, SECRET, "192.0.2.1")).status_code == 200
            assert (await ask(node, SECRET, None)).status_code == 200
        assert await other.metric('keyturn_throttled_requests_total{scope="client"}') >= 1
        codes = 'keyturn_authentications_total{method="client_secret_basic",outcome="too_many_failures"}'
        assert await other.metric(codes) >= 1


async def test_guesses_that_are_sent_at_once_are_no_more_than_the_limit(
    filling: Filling, realm: RealmProjection, redis_url: str
) -> None:
    """Guesses past the limit do not learn whether they were right, and the right one among them gets
    nothing."""
    await filling.change(realm, client_of(realm, "worker", secret=SECRET))
    async with running_node(redis_url, **LIMITS) as node:
        secrets = ["wrong"] * 30 + [SECRET] + ["wrong"] * 5
        answers = await asyncio.gather(*(ask(node, secret, "198.51.100.9") for secret in secrets))
        assert Counter(answer.status_code for answer in answers) == {401: 5, 429: 31}
        basic_of = {"Authorization": basic("worker", "wrong"), "X-Forwarded-For": "198.51.100.10"}
        path = "/realms/acme/protocol/openid-connect/token/introspect"
        asked = await asyncio.gather(
            *(node.http.post(path, data={"token": "x"}, headers=basic_of) for _ in range(30))
        )
        assert Counter(answer.status_code for answer in asked) == {401: 5, 429: 25}


async def test_guessing_names_is_limited_by_address_whether_they_exist_or_not(
    filling: Filling, realm: RealmProjection, redis_url: str
) -> None:
    await filling.change(realm, client_of(realm, "worker", secret=SECRET))
    async with running_node(redis_url, **LIMITS) as node:
        answers = [await ask(node, "x", "198.51.100.9", f"guess-{number}") for number in range(41)]
        assert [each.status_code for each in answers] == [401] * 40 + [429]
        malformed = {"X-Forwarded-For": "198.51.100.9", "Authorization": "Basic !"}
        assert (await node.token("acme", {}, headers=malformed)).status_code == 400
        assert (await ask(node, SECRET, "198.51.100.9")).status_code == 429
        assert (await ask(node, SECRET, "198.51.100.8")).status_code == 200


async def test_limits_hold_without_redis(filling: Filling, realm: RealmProjection, redis_url: str) -> None:
    """Counts go to a different Redis than everything else, which does not exist."""
    await filling.change(realm, client_of(realm, "worker", secret=SECRET))
    async with running_node(redis_url, **LIMITS) as node:
        assert (await ask(node, SECRET, "192.0.2.1")).status_code == 200
        core: Any = node.app.find("/realms/acme/protocol/openid-connect/token")[1].endpoint
        registry = core._log._throttle._registry

        async def away(_: object) -> None:
            from keyturn_shared.errors import RedisUnavailableError

            raise RedisUnavailableError("away")

        registry.add = away
        for _ in range(5):
            assert (await ask(node, "wrong", "192.0.2.1")).status_code == 401
        assert (await ask(node, SECRET, "192.0.2.1")).status_code == 429
        assert (await ask(node, SECRET, "192.0.2.2")).status_code == 200
        await asyncio.sleep(0)
        assert await node.metric("keyturn_failures_not_shared_total") >= 1
