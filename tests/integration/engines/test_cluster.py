"""Redis Cluster: keys, stream and registry of a partition are in one slot, and follow it to another
server."""

import json
from pathlib import Path
from time import monotonic

from prometheus_client import CollectorRegistry

from keyturn_credentials.relay.redis_check import RedisCheck
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.redis_client import connect
from tests.integration.engines.whole import REALM, Whole, whole
from tests.testkit.nodes import assertion
from tests.testkit.processes import Processes
from tests.testkit.redis_groups import ClusterGroup, Server
from tests.testkit.redis_reading import execute
from tests.testkit.waiting import wait_until


async def test_services_use_a_cluster_and_follow_their_slot(processes: Processes, tmp_path: Path) -> None:
    group = await ClusterGroup.start(processes, tmp_path / "redis")
    async with whole(tmp_path, group.url) as fleet:
        await fleet.use_everything()
        worker = await fleet.make_client("steady")
        former = await fleet.regenerate(worker)
        assert await fleet.by_secret("steady", former) == {200}
        client = connect(group.url)
        check = RedisCheck(client, CollectorRegistry(), replicated=True, lease_seconds=10, elapsed=monotonic)
        assert [each.setting for each in await check.look()] == [
            "min-replicas-to-write",
            "min-replicas-max-lag",
        ]
        await client.aclose()
        await group.fail_over()
        current = await fleet.regenerate(worker)
        assert await fleet.by_secret("steady", former) <= {401, 503}
        await wait_until(lambda: _accepted(fleet, "steady", current), timeout=30)
        assert await fleet.by_secret("steady", former) == {401}
        for server in group.servers:
            async with server.client() as client:
                holds = await client.dbsize() > 0
                assert holds == (server in (group.owner, group.replica)), "everything lies in one slot"


async def test_used_assertions_are_spread_and_a_lost_shard_costs_no_other(
    processes: Processes, tmp_path: Path
) -> None:
    group = await ClusterGroup.start(processes, tmp_path / "redis")
    async with whole(tmp_path, group.url, partitions=12) as fleet:
        key = SigningKey.generate()
        jwks = {"use.jwks.string": "true", "jwks.string": json.dumps({"keys": [key.public_jwk]})}
        await fleet.make_client("signer", clientAuthenticatorType="client-jwt", attributes=jwks)
        first, second = fleet.nodes

        async def one_is_accepted() -> bool:
            return (await first.token_by_assertion(REALM, assertion(key, "signer", REALM))).status_code == 200

        await wait_until(one_is_accepted, timeout=30)
        used = [assertion(key, "signer", REALM) for _ in range(40)]
        for each in used:
            assert (await first.token_by_assertion(REALM, each)).status_code == 200
        shards = [server for server in group.servers if server is not group.replica]
        marks = [await _marks(server) for server in shards]
        assert all(marks), "each shard has a share"
        epochs = [await _epochs(server) for server in shards]
        lost = next(number for number, server in enumerate(shards) if server is not group.owner)
        async with shards[lost].client() as client:
            await client.flushall()

        async def shard_is_back() -> bool:
            now = await _epochs(shards[lost])
            return now.keys() == epochs[lost].keys() and await _marks(shards[lost]) >= marks[lost]

        await wait_until(shard_is_back, timeout=30)
        for each in used:
            for node in (first, second):
                answer = await node.token_by_assertion(REALM, each)
                assert answer.status_code in (401, 429), "used, or issued before a barrier that still stands"
        for number, server in enumerate(shards):
            now = await _epochs(server)
            assert (now == epochs[number]) == (number != lost), "only what was lost begins anew"

        async def barriers_have_fallen() -> bool:
            fresh = [assertion(key, "signer", REALM) for _ in range(40)]
            answers = [(await second.token_by_assertion(REALM, each)).status_code for each in fresh]
            assert set(answers) <= {200, 429}
            return answers == [200] * 40

        await wait_until(barriers_have_fallen, timeout=30)  # no memory was lost
        answers = [(await first.token_by_assertion(REALM, each)).status_code for each in used]
        assert answers == [401] * 40


async def _marks(server: Server) -> set[bytes]:
    async with server.client() as client:
        return {key async for key in client.scan_iter("kt:{*}:jti:*")}


async def _epochs(server: Server) -> dict[bytes, bytes]:
    """Return the epochs of the partitions that this server has, by the name of their head."""
    async with server.client() as client:
        heads = [key async for key in client.scan_iter("kt:{*}:head")]
        return {head: await execute(client, "HGET", head, "epoch") for head in heads}


async def _accepted(fleet: Whole, client_id: str, secret: str) -> bool:
    return await fleet.by_secret(client_id, secret) == {200}
