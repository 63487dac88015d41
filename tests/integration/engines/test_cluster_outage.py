"""A whole Redis Cluster fails and recovers under traffic: 503 meanwhile, and no task ends."""

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.last_used import LastUsedRegistry
from keyturn_shared.fleet.registry import FleetRegistry
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.redis_client import connect
from tests.integration.engines.whole import Whole, whole
from tests.testkit.nodes import RunningNode, assertion
from tests.testkit.ports import find_free_port
from tests.testkit.processes import Processes
from tests.testkit.redis_groups import Server, start_server
from tests.testkit.redis_reading import execute
from tests.testkit.waiting import wait_until

_OF_A_NODE = ("member", "subscription", "credential-uses", "replay-return")
_OF_KEY_SETS = tuple(f"key-sets-{name}" for name in ("connect", "touch", "read", "due", "retries", "depth"))
_OF_THE_CREDENTIALS_SERVICE = ("relay", "redis-check", "upkeep", "credential-uses", "signing")
_START_SECONDS = 60.0


async def one_node_cluster(processes: Processes, directory: Path) -> Server:
    settings = {"cluster_enabled": "yes", "cluster_node_timeout": "2000", "appendonly": "yes"}
    server = start_server(processes, directory, **settings, cluster_port=str(find_free_port()))
    await wait_until(server.answers, timeout=_START_SECONDS)
    async with server.client() as client:
        await execute(client, "CLUSTER ADDSLOTSRANGE", 0, 16_383)
    await wait_until(lambda: _formed(server), timeout=_START_SECONDS)
    return server


async def _formed(server: Server) -> bool:
    async with server.client() as client:
        return bool((await client.cluster("info"))["cluster_state"] == "ok")


async def _running(node: RunningNode, task: str) -> bool:
    return await node.metric(f'keyturn_task_running{{task="{task}"}}') == 1.0


class Traffic:
    """Callers of every kind, and their answers."""

    def __init__(self, fleet: Whole, secret: str, key: SigningKey, worker: str) -> None:
        self.answers: Counter[int] = Counter()
        self._fleet, self._secret, self._key, self._worker = fleet, secret, key, worker

    async def once(self) -> None:
        node = self._fleet.nodes[0]
        answers = await asyncio.gather(
            node.token_by_secret("acme", "worker", self._secret),
            node.token_by_secret("acme", "nobody", self._secret),
            node.token_by_assertion("acme", assertion(self._key, "signer", "acme")),
            self._fleet.api.call("GET", "/acme/fleet"),
            self._fleet.api.call("GET", f"/acme/clients/{self._worker}/keys"),
            self._fleet.api.call("PUT", f"/acme/clients/{self._worker}", json={"description": "d"}),
        )
        self.answers.update(answer.status_code for answer in answers)

    async def until(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self.once()


async def test_an_outage_of_a_cluster_is_answered_with_503_and_ends_no_task(
    processes: Processes, tmp_path: Path
) -> None:
    server = await one_node_cluster(processes, tmp_path / "redis")
    async with whole(tmp_path, f"redis+cluster://127.0.0.1:{server.port}", nodes=1) as fleet:
        worker = await fleet.make_client("worker")
        secret = await fleet.regenerate(worker)
        key = SigningKey.generate()
        attributes = {"use.jwks.string": "true", "jwks.string": json.dumps({"keys": [key.public_jwk]})}
        await fleet.make_client("signer", clientAuthenticatorType="client-jwt", attributes=attributes)
        traffic = Traffic(fleet, secret, key, worker)
        stop = asyncio.Event()
        callers = asyncio.create_task(traffic.until(stop))
        await wait_until(lambda: _seen(traffic, 200), timeout=30)
        server.process.kill()
        await wait_until(lambda: _seen(traffic, 503), timeout=60)
        server.start()
        await wait_until(lambda: _recovered(fleet, secret, key), timeout=60)
        stop.set()
        await callers
        assert traffic.answers[500] == 0, traffic.answers
        for task in (*_OF_A_NODE, *_OF_KEY_SETS):
            assert await _running(fleet.nodes[0], task), task
        text = (await fleet.api.http.get("/metrics")).text
        for task in _OF_THE_CREDENTIALS_SERVICE:
            assert f'keyturn_task_running{{task="{task}"}} 1.0' in text


async def test_every_use_of_a_cluster_that_is_away_says_so(processes: Processes, tmp_path: Path) -> None:
    server = await one_node_cluster(processes, tmp_path / "redis")
    client = connect(f"redis+cluster://127.0.0.1:{server.port}")
    registry, uses = FleetRegistry(RedisScripts(client)), LastUsedRegistry(client)
    await registry.view()
    server.process.kill()
    for _ in range(3):  # the client knows less of the cluster each time
        with pytest.raises(RedisUnavailableError):
            await registry.view()
        with pytest.raises(RedisUnavailableError):
            await uses.write({("client", "secret"): 1.0})
    await client.aclose()


async def _seen(traffic: Traffic, status: int) -> bool:
    return traffic.answers[status] > 10


async def _recovered(fleet: Whole, secret: str, key: SigningKey) -> bool:
    return await fleet.by_secret("worker", secret) == {200} and await fleet.by_key("signer", key) == {200}
