"""Two workers serve one port, as two members of the fleet."""

from keyturn_shared.projection import RealmProjection
from tests.integration.workers.several_workers import SECRET, Node, start_node
from tests.testkit.filled_redis import Filling, client_of
from tests.testkit.processes import Processes
from tests.testkit.waiting import wait_until


async def test_each_worker_is_a_member_of_the_fleet(
    filling: Filling, redis_url: str, processes: Processes
) -> None:
    node = await start_node(processes, filling, redis_url)
    members = await node.members()
    assert sorted(members) == ["node-a.w0", "node-a.w1"]
    assert len(set((await node.pids()).values()) | {node.parent.pid}) == 3
    for name, member in members.items():
        assert member.node_id.startswith(f"{name}.")


async def test_connections_are_spread_evenly(
    filling: Filling, realm: RealmProjection, redis_url: str, processes: Processes
) -> None:
    await filling.change(realm, client_of(realm, "worker", secret=SECRET))
    node = await start_node(processes, filling, redis_url)
    await wait_until(lambda: _open(node, 1))  # the one that asks
    callers = [node.caller() for _ in range(20)]
    for caller in callers:
        assert await caller.ask() == 200
    await wait_until(lambda: _open(node, 21))
    first, second = [value for name, _, value in await node.page() if name == "keyturn_worker_connections"]
    assert abs(first - second) <= 1
    for caller in callers:
        caller.close()


async def _open(node: Node, count: int) -> bool:
    """Tell whether so many connections are open."""
    page = await node.page()
    return sum(value for name, _, value in page if name == "keyturn_worker_connections") == count
