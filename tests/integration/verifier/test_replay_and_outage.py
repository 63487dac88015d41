"""Real processes: an assertion is accepted once in the whole fleet, and never without Redis."""

import asyncio
from collections import Counter

import httpx
import pytest
from redis.asyncio import Redis

from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import RealmProjection
from tests.integration.verifier.node_process import NodeProcess
from tests.testkit.filled_redis import Filling, client_of
from tests.testkit.nodes import ASSERTION_TYPE, assertion
from tests.testkit.processes import Processes
from tests.testkit.waiting import wait_until

KEY = SigningKey.generate()
SECRET = "a secret"


@pytest.fixture
async def filled(redis: Redis, realm: RealmProjection) -> Filling:
    filling = Filling.on(redis, lease=6.0)
    await filling.open(realm, client_of(realm, "signer", key=KEY), client_of(realm, "worker", secret=SECRET))
    return filling


def one_request_a_connection() -> httpx.AsyncClient:
    """A kept connection may be closed at the other end just when the next request is sent."""
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=0)
    return httpx.AsyncClient(trust_env=False, timeout=30, limits=limits)


async def by_assertion(http: httpx.AsyncClient, node: NodeProcess, signed: str) -> httpx.Response:
    form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}
    return await ask(http, node, form)


async def by_secret(http: httpx.AsyncClient, node: NodeProcess) -> httpx.Response:
    return await ask(http, node, {"client_id": "worker", "client_secret": SECRET})


async def ask(http: httpx.AsyncClient, node: NodeProcess, form: dict[str, str]) -> httpx.Response:
    url = f"{node.base_url}/realms/acme/protocol/openid-connect/token"
    return await http.post(url, data={"grant_type": "client_credentials", **form})


async def test_a_hundred_uses_of_one_assertion_at_five_nodes_give_exactly_one_token(
    redis_server: EmbeddedRedis, filled: Filling, processes: Processes
) -> None:
    nodes = await asyncio.gather(*(NodeProcess.start(processes, redis_server.url) for _ in range(5)))
    async with one_request_a_connection() as http:
        replayed = 0
        for _ in range(3):
            signed = assertion(KEY, "signer", "acme")
            answers = await asyncio.gather(
                *(by_assertion(http, nodes[number % 5], signed) for number in range(100))
            )
            statuses = Counter(answer.status_code for answer in answers)
            # A busy machine may delay a node for longer than Redis' time limit: it then answers "retry".
            assert statuses[200] == 1, statuses
            assert statuses[401] + statuses[503] == 99, statuses
            replayed += statuses[401]
        counted = 0.0
        for node in nodes:
            text = (await http.get(f"{node.base_url}/metrics")).text
            line = 'keyturn_authentications_total{method="private_key_jwt",outcome="replayed"}'
            counted += sum(float(each.split()[-1]) for each in text.splitlines() if each.startswith(line))
        assert counted == replayed > 0


async def test_without_redis_no_assertion_is_accepted_and_secrets_as_the_operator_chose(
    redis_server: EmbeddedRedis, filled: Filling, processes: Processes
) -> None:
    strict, available = await asyncio.gather(
        NodeProcess.start(processes, redis_server.url),
        NodeProcess.start(processes, redis_server.url, KEYTURN_SERVE_STALE="true"),
    )
    async with one_request_a_connection() as http:
        for node in (strict, available):
            assert (await by_assertion(http, node, assertion(KEY, "signer", "acme"))).status_code == 200
            assert (await by_secret(http, node)).status_code == 200
        redis_server.stop()
        # From the first moment on, even while leases are still held.
        for node in (strict, available):
            refused = await by_assertion(http, node, assertion(KEY, "signer", "acme"))
            assert (refused.status_code, int(refused.headers["retry-after"])) == (503, 1)
            assert "access_token" not in refused.text

        async def fenced() -> bool:
            return (await by_secret(http, strict)).status_code == 503

        await wait_until(fenced, timeout=40)
        refused = await by_secret(http, strict)
        assert (refused.status_code, int(refused.headers["retry-after"])) == (503, 1)
        assert refused.json()["error"] == "temporarily_unavailable"
        assert (await http.get(f"{strict.base_url}/health/ready")).status_code == 503
        for _ in range(3):
            accepted = await by_secret(http, available)
            assert accepted.status_code == 200
            assert (await by_assertion(http, available, assertion(KEY, "signer", "acme"))).status_code == 503
