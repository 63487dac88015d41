"""A revocation's wait counts every worker of a node."""

import os
import signal

from keyturn_shared.projection import RealmProjection
from tests.integration.workers.several_workers import SECRET, start_node
from tests.testkit.filled_redis import Filling, client_of
from tests.testkit.processes import Processes
from tests.testkit.waiting import wait_until


async def test_a_wait_is_over_when_every_worker_has_applied_the_change(
    filling: Filling, realm: RealmProjection, redis_url: str, processes: Processes
) -> None:
    await filling.change(realm, client_of(realm, "worker", uuid="w", secret=SECRET))
    node = await start_node(processes, filling, redis_url)
    callers = [node.caller() for _ in range(4)]
    assert {await caller.ask() for caller in callers} == {200}
    frozen = (await node.pids())["node-a.w1"]
    os.kill(frozen, signal.SIGSTOP)
    try:
        sequence = await filling.change(realm, client_of(realm, "worker", uuid="w", secret="new"))
        await wait_until(lambda: _applied(filling, sequence, 1))
        summary = await filling.summary(sequence)
        assert (summary.safe, summary.nodes, len(summary.pending)) == (False, 2, 1)
    finally:
        os.kill(frozen, signal.SIGCONT)
    await wait_until(lambda: _applied(filling, sequence, 2))
    assert (await filling.summary(sequence)).safe
    assert {await caller.ask() for caller in callers} == {401}
    for caller in callers:
        caller.close()


async def _applied(filling: Filling, sequence: int, count: int) -> bool:
    return (await filling.summary(sequence)).applied == count
