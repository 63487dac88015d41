"""One page of metrics for all workers of a node."""

import os
import signal

from tests.integration.workers.several_workers import Node, start_node
from tests.testkit.filled_redis import Filling
from tests.testkit.processes import Processes
from tests.testkit.waiting import wait_until


async def test_any_worker_shows_the_page_of_all(
    filling: Filling, redis_url: str, processes: Processes
) -> None:
    node = await start_node(processes, filling, redis_url, workers=3)
    for _ in range(4):
        page = await node.page()
        leases = {labels["worker"] for name, labels, _ in page if name == "keyturn_node_lease_seconds"}
        assert leases == {"0", "1", "2"}
        assert len({(name, tuple(sorted(labels.items()))) for name, labels, _ in page}) == len(page)
        assert [value for name, _, value in page if name == "keyturn_worker_pages_missing"] == [0]


async def test_a_worker_that_does_not_answer_is_left_out_and_counted(
    filling: Filling, redis_url: str, processes: Processes
) -> None:
    node = await start_node(processes, filling, redis_url)
    frozen = (await node.pids())["node-a.w0"]
    os.kill(frozen, signal.SIGSTOP)
    try:
        await wait_until(lambda: _is_left_out(node))
    finally:
        os.kill(frozen, signal.SIGCONT)
    await node.all_ready(2)


async def _is_left_out(node: Node) -> bool:
    page = await node.page()
    missing = [value for name, _, value in page if name == "keyturn_worker_pages_missing"]
    leases = {labels["worker"] for name, labels, _ in page if name == "keyturn_node_lease_seconds"}
    return missing == [1] and leases == {"1"}
