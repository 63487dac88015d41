"""One page of metrics for all workers of a node."""

import asyncio
import os
import signal
from contextlib import suppress

from keyturn_shared.fleet.registry import NodeRecord
from tests.integration.workers.several_workers import Node, start_node, start_parent
from tests.testkit.filled_redis import Filling
from tests.testkit.ports import find_free_port
from tests.testkit.processes import Processes
from tests.testkit.waiting import wait_until

_PATIENCE_SECONDS = 10.0


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


async def test_a_single_process_has_its_page_without_the_label(
    filling: Filling, redis_url: str, processes: Processes
) -> None:
    port = find_free_port()
    node = Node(start_parent(processes, redis_url, port, KEYTURN_WORKERS="1"), port, filling)

    async def joined() -> list[NodeRecord]:
        with suppress(OSError):
            assert not any("worker" in labels for _, labels, _ in await node.page())
            return list((await node.members()).values())
        return []

    (member,) = await wait_until(joined)
    assert (member.details["name"], member.details["pid"]) == ("node-a", node.parent.pid)
    node.parent.signal(signal.SIGHUP)
    assert node.parent.wait(60) == -signal.SIGHUP


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
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            page = await node.page()
    except TimeoutError:
        return False  # the frozen worker got this connection
    missing = [value for name, _, value in page if name == "keyturn_worker_pages_missing"]
    leases = {labels["worker"] for name, labels, _ in page if name == "keyturn_node_lease_seconds"}
    return missing == [1] and leases == {"1"}
