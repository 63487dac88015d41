"""Redis Cluster: keys, stream and registry of a partition are in one slot, and follow it to another
server."""

from pathlib import Path
from time import monotonic

from prometheus_client import CollectorRegistry

from keyturn_credentials.relay.redis_check import RedisCheck
from keyturn_shared.redis_client import connect
from tests.integration.engines.whole import Whole, whole
from tests.testkit.processes import Processes
from tests.testkit.redis_groups import ClusterGroup
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


async def _accepted(fleet: Whole, client_id: str, secret: str) -> bool:
    return await fleet.by_secret(client_id, secret) == {200}
