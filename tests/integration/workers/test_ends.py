"""Workers end: killed, told to, or because their parent is gone."""

import asyncio
import os
import signal

from keyturn_shared.projection import RealmProjection
from tests.integration.workers.several_workers import (
    SECRET,
    Caller,
    Node,
    is_running,
    kill,
    start_node,
    until_ended,
)
from tests.testkit.filled_redis import Filling, client_of
from tests.testkit.processes import Processes
from tests.testkit.waiting import in_time, wait_until

_CALLERS = 12


async def _loaded(
    filling: Filling, realm: RealmProjection, redis_url: str, processes: Processes
) -> tuple[Node, list[Caller], asyncio.Event, list[asyncio.Task[None]]]:
    """Start a node and callers that keep asking it."""
    await filling.change(realm, client_of(realm, "worker", secret=SECRET))
    node = await start_node(processes, filling, redis_url)
    callers = [node.caller() for _ in range(_CALLERS)]
    stopped = asyncio.Event()
    load = [asyncio.create_task(caller.ask_until(stopped)) for caller in callers]
    await _asked_on(callers)
    return node, callers, stopped, load


async def _asked_on(callers: list[Caller]) -> None:
    """Wait until each caller has got 20 more responses."""
    before = [caller.statuses.total() for caller in callers]
    await wait_until(
        lambda: all(
            caller.statuses.total() >= count + 20 for caller, count in zip(callers, before, strict=True)
        )
    )


async def _end(stopped: asyncio.Event, load: list[asyncio.Task[None]]) -> None:
    stopped.set()
    await in_time(asyncio.gather(*load))


async def test_a_killed_worker_takes_only_its_own_connections_and_comes_back(
    filling: Filling, realm: RealmProjection, redis_url: str, processes: Processes
) -> None:
    node, callers, stopped, load = await _loaded(filling, realm, redis_url, processes)
    before = await node.pids()
    kill(before["node-a.w0"])
    await wait_until(lambda: not is_running(before["node-a.w0"]))
    await _asked_on(callers)
    await wait_until(lambda: _is_another(node, "node-a.w0", before["node-a.w0"]))
    await node.all_ready(2)
    await _asked_on(callers)
    await _end(stopped, load)
    failures = [len(caller.failed) for caller in callers]
    assert sorted(failures) == [0] * (_CALLERS // 2) + [1] * (_CALLERS // 2)
    assert {status for caller in callers for status in caller.statuses} == {200}
    assert (await node.pids())["node-a.w1"] == before["node-a.w1"]
    assert await node.metric("keyturn_worker_restarts_total", 0) == 1


async def test_while_no_worker_serves_callers_wait_and_are_not_refused(
    filling: Filling, redis_url: str, processes: Processes
) -> None:
    node = await start_node(processes, filling, redis_url)
    before = await node.pids()
    for pid in before.values():
        kill(pid)
    await until_ended(before)
    callers = [node.caller() for _ in range(10)]
    answers = await in_time(asyncio.gather(*(caller.get("/health/live") for caller in callers)))
    assert {status for status, _ in answers} == {200}
    for caller in callers:
        caller.close()
    await node.all_ready(2)


async def test_a_reload_replaces_every_worker_and_fails_no_request(
    filling: Filling, realm: RealmProjection, redis_url: str, processes: Processes
) -> None:
    node, callers, stopped, load = await _loaded(filling, realm, redis_url, processes)
    before = await node.pids()
    node.parent.signal(signal.SIGHUP)
    await until_ended(before)
    await node.all_ready(2)
    await _asked_on(callers)
    await _end(stopped, load)
    assert [caller.failed for caller in callers] == [[]] * _CALLERS
    assert {status for caller in callers for status in caller.statuses} == {200}
    assert all(caller.ended_by_response for caller in callers)
    after = await node.pids()
    assert after.keys() == before.keys()
    assert set(after.values()).isdisjoint(before.values())
    assert len((await filling.registry.view()).nodes) == 2, "the former ones have left"


async def test_a_worker_that_is_told_to_end_fails_no_request(
    filling: Filling, realm: RealmProjection, redis_url: str, processes: Processes
) -> None:
    node, callers, stopped, load = await _loaded(filling, realm, redis_url, processes)
    former = (await node.pids())["node-a.w1"]
    os.kill(former, signal.SIGTERM)
    await wait_until(lambda: not is_running(former))
    await wait_until(lambda: _is_another(node, "node-a.w1", former))
    await _end(stopped, load)
    assert [caller.failed for caller in callers] == [[]] * _CALLERS


async def test_the_node_finishes_its_requests_and_leaves_the_fleet(
    filling: Filling, redis_url: str, processes: Processes
) -> None:
    node = await start_node(processes, filling, redis_url)
    pids = await node.pids()
    assert node.parent.stop() == 0
    assert not any(is_running(pid) for pid in pids.values())
    assert (await filling.registry.view()).nodes == ()
    assert "Traceback" not in node.parent.output()


async def test_workers_end_with_their_parent_and_leave_the_fleet(
    filling: Filling, redis_url: str, processes: Processes
) -> None:
    node = await start_node(processes, filling, redis_url)
    pids = await node.pids()
    node.parent.signal(signal.SIGKILL)
    await until_ended(pids)
    assert (await filling.registry.view()).nodes == ()


async def _is_another(node: Node, name: str, pid: int) -> bool:
    return (await node.pids()).get(name, pid) != pid
