"""A supervised task survives its backend's errors; one that ends ends its process."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.runtime.backoff import Backoff
from keyturn_shared.runtime.supervised_task import SupervisedTask
from keyturn_shared.runtime.supervisor import Supervisor
from tests.testkit.virtual_loop import VirtualLoop
from tests.testkit.waiting import in_time

BACKOFF = Backoff(first=1.0, longest=8.0)
ENDLESS = 1e9
OUTCOMES = st.lists(
    st.one_of(
        st.floats(0.0, 100.0).map(lambda pause: ("goes well", pause)),
        st.floats(0.0, 100.0).map(lambda takes: ("fails", takes)),
    ),
    max_size=12,
)


class Work:
    """Rounds with prepared outcomes, in virtual time; then one that does not end. Records the start of
    each."""

    def __init__(self, loop: VirtualLoop, outcomes: list[tuple[str, float]]) -> None:
        self.begun: list[float] = []
        self._loop = loop
        self._left = list(outcomes)

    async def round(self) -> float:
        self.begun.append(self._loop.time())
        if not self._left:
            await asyncio.sleep(ENDLESS)
        outcome, seconds = self._left.pop(0)
        if outcome == "goes well":
            return seconds
        await asyncio.sleep(seconds)
        raise RedisUnavailableError("away")


def run_virtually(loop: VirtualLoop, work: Coroutine[Any, Any, Any], until: float = ENDLESS / 2) -> None:
    loop.create_task(work)
    loop.run(until)
    assert not loop.errors


@given(OUTCOMES)
def test_every_round_comes_after_the_pause_that_the_former_one_asks_for_and_none_ends_the_task(
    outcomes: list[tuple[str, float]],
) -> None:
    loop = VirtualLoop.create()
    work = Work(loop, outcomes)
    failed: list[Exception] = []
    task = SupervisedTask(
        "t", work.round, elapsed=loop.time, backoff=BACKOFF, failed=failed.append, jitter=lambda: 1.0
    )
    run_virtually(loop, task.start())
    expected, now, in_a_row = [0.0], 0.0, 0
    for outcome, seconds in outcomes:
        if outcome == "goes well":
            in_a_row, now = 0, now + seconds
        else:
            in_a_row = 1 if (now + seconds) - now > BACKOFF.longest else in_a_row + 1
            now = now + seconds + BACKOFF.seconds(in_a_row)
        expected.append(now)
    assert work.begun == pytest.approx(expected)
    assert task.running
    assert task.failures == len(failed) == sum(outcome == "fails" for outcome, _ in outcomes)
    assert task.runs == len(outcomes) - task.failures
    assert (task.last_error is None) == (not outcomes or outcomes[-1][0] == "goes well")


def test_the_time_since_a_round_went_well_is_known_once_one_did() -> None:
    loop = VirtualLoop.create()
    work = Work(loop, [("goes well", 5.0), ("fails", 1.0)])
    task = SupervisedTask("t", work.round, elapsed=loop.time)
    assert task.seconds_since_success is None
    run_virtually(loop, task.start(), until=100.0)
    assert task.seconds_since_success == 100.0


async def test_the_last_error_is_told_by_its_code_until_a_round_goes_well() -> None:
    errors: list[Exception | None] = [RedisUnavailableError("away"), ValueError("odd"), None]
    seen: list[str | None] = []

    async def work() -> float | None:
        if error := errors.pop(0):
            raise error
        return None

    async def sleep(_: float) -> None:
        seen.append(task.last_error)

    task = SupervisedTask("t", work, elapsed=lambda: 0.0, sleep=sleep)
    await task.run()
    assert seen == ["redis_unavailable", "ValueError"]
    assert task.last_error is None


async def stays() -> None:
    await asyncio.Event().wait()


async def returns() -> None:
    return


@pytest.mark.parametrize(("finite", "ends"), [(False, [("t", "'returned'")]), (True, [])])
async def test_work_that_returns_has_ended_unless_that_is_its_end(
    finite: bool, ends: list[tuple[str, str]]
) -> None:
    seen: list[tuple[str, str]] = []
    task = SupervisedTask("t", returns, elapsed=lambda: 0.0, finite=finite)
    task.on_end = lambda task, reason: seen.append((task.name, reason))
    await task.start()
    for _ in range(3):
        await asyncio.sleep(0)
    assert seen == ends
    assert task.running == finite
    await task.stop()
    assert not task.running


async def test_a_task_cancelled_by_a_stranger_has_ended_and_a_stopped_one_has_not() -> None:
    ends: list[tuple[str, str]] = []
    for stranger in (True, False):
        task = SupervisedTask("t", stays, elapsed=lambda: 0.0)
        task.on_end = lambda task, reason: ends.append((task.name, reason))
        await task.start()
        await asyncio.sleep(0)
        if stranger:
            (running,) = [each for each in asyncio.all_tasks() if each.get_name() == "t"]
            running.cancel()
            await asyncio.wait([running])
            await asyncio.sleep(0)
        await task.stop()
    assert ends == [("t", "cancelled")]


def supervised(supervisor: Supervisor, name: str, work: Callable[[], Awaitable[float | None]]) -> None:
    supervisor.add(SupervisedTask(name, work, elapsed=lambda: 0.0))


async def test_a_task_that_ends_makes_the_process_not_ready_and_ends_it() -> None:
    ended = asyncio.Event()
    supervisor = Supervisor(CollectorRegistry(), grace_seconds=0.0, end=ended.set)
    supervised(supervisor, "stays", stays)
    assert supervisor.not_ready() == {}
    supervised(supervisor, "returns", returns)
    await supervisor.start()
    await in_time(ended.wait())
    assert supervisor.not_ready() == {"task returns": "ended: 'returned'"}
    await supervisor.stop()


async def test_a_watched_task_is_started_and_stopped_by_somebody_else() -> None:
    supervisor = Supervisor(CollectorRegistry(), end=lambda: None)
    task = SupervisedTask("t", returns, elapsed=lambda: 0.0)
    supervisor.watch(task)
    await supervisor.start()
    assert not task.running
    await task.start()
    for _ in range(3):
        await asyncio.sleep(0)
    assert supervisor.not_ready() == {"task t": "ended: 'returned'"}
    await supervisor.stop()


def test_tasks_are_shown_as_metrics() -> None:
    loop, registry = VirtualLoop.create(), CollectorRegistry()
    supervisor = Supervisor(registry, end=lambda: None)
    work = Work(loop, [("goes well", 5.0), ("fails", 1.0), ("fails", 1.0)])
    for name, rounds in {"t": work.round, "endless": stays}.items():
        supervisor.add(SupervisedTask(name, rounds, elapsed=loop.time))

    def shown(metric: str, task: str = "t") -> float | None:
        return registry.get_sample_value(f"keyturn_task_{metric}", {"task": task})

    assert (shown("running"), shown("runs_total"), shown("seconds_since_success")) == (0, 0, None)
    run_virtually(loop, supervisor.start(), until=50.0)
    assert (shown("running"), shown("runs_total"), shown("failures_total")) == (1, 1, 2)
    assert shown("seconds_since_success") == 50.0
    assert (shown("running", "endless"), shown("seconds_since_success", "endless")) == (1, None)
    run_virtually(loop, supervisor.stop(), until=60.0)
    assert shown("running") == 0
