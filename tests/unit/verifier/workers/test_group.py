"""A group keeps a worker in each slot and replaces workers one by one."""

import asyncio
from collections.abc import Callable

import pytest

from keyturn_verifier.workers.group import CHECK_SECONDS, WorkerGroup, WorkersFailedError
from keyturn_verifier.workers.records import Kind, Record
from keyturn_verifier.workers.restarts import GIVE_UP_AFTER
from keyturn_verifier.workers.worker_process import HANGING_CHECKS, WorkerProcess
from tests.testkit.waiting import in_time, wait_until


class FakeWorker(WorkerProcess):
    """A worker without a process. It ends when it is told to."""

    def __init__(self, slot: int) -> None:
        super().__init__(slot, lambda *_: None, lambda _: None)
        self.told: list[Kind] = []
        self.reports = True

    @property
    def pid(self) -> int:
        return 0

    def tell(self, kind: Kind, number: int = 0, slot: int = 0) -> None:
        self.told.append(kind)
        if kind in (Kind.STOP, Kind.RETIRE):
            self.end(0)

    def check(self) -> bool:
        if self.reports:
            self._note(Record(Kind.READY if self.is_ready else Kind.NOT_READY))
        return super().check()

    def kill(self) -> None:
        self.end(-9)

    def serve(self) -> None:
        self.is_ready = True
        self.up.set()
        self.ready.set()

    def end(self, code: int) -> None:
        self.exit_code = code
        for event in (self.ended, self.gone, self.up, self.ready):
            event.set()


class Group:
    """A running group, every worker that it has started, and its pauses. ``begin``: called with each new
    worker."""

    def __init__(self, count: int, begin: Callable[[FakeWorker], None]) -> None:
        self.started: list[FakeWorker] = []
        self.pauses: list[float] = []
        self.checks: asyncio.Queue[None] = asyncio.Queue()
        self.begin = begin
        self.group = WorkerGroup(count, self._start, drain_seconds=1, sleep=self._sleep)

    async def _start(self, slot: int) -> WorkerProcess:
        worker = FakeWorker(slot)
        self.started.append(worker)
        self.begin(worker)
        return worker

    async def _sleep(self, seconds: float) -> None:
        if seconds == CHECK_SECONDS:
            await self.checks.get()
            return
        self.pauses.append(seconds)
        await asyncio.sleep(0)

    def slots(self) -> list[int]:
        return [worker.slot for worker in self.group.serving()]


async def test_the_others_start_when_the_first_one_serves() -> None:
    running = Group(3, lambda _: None)
    task = asyncio.create_task(running.group.run())
    await wait_until(lambda: running.started)
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(running.started) == 1
    running.begin = FakeWorker.serve
    running.started[0].serve()
    await wait_until(lambda: running.slots() == [0, 1, 2])
    running.group.stop()
    await in_time(task)
    assert [worker.told for worker in running.started] == [[Kind.STOP]] * 3


async def test_a_worker_that_ends_is_started_again_in_its_slot() -> None:
    running = Group(2, FakeWorker.serve)
    task = asyncio.create_task(running.group.run())
    await wait_until(lambda: running.slots() == [0, 1])
    running.started[1].end(-9)
    await wait_until(lambda: running.slots() == [0, 1])
    assert [worker.slot for worker in running.started] == [0, 1, 1]
    assert [slot.restarts for slot in running.group.slots] == [0, 1]
    running.group.stop()
    await in_time(task)


async def test_a_node_whose_configuration_is_refused_ends_at_once() -> None:
    running = Group(2, lambda worker: worker.end(2))
    with pytest.raises(WorkersFailedError) as failed:
        await in_time(running.group.run())
    assert failed.value.exit_code == 2
    assert len(running.started) == 1


async def test_a_node_that_never_serves_gives_up_after_growing_pauses() -> None:
    running = Group(2, lambda worker: worker.end(-11))
    with pytest.raises(WorkersFailedError) as failed:
        await in_time(running.group.run())
    assert failed.value.exit_code == 1
    assert len(running.started) == GIVE_UP_AFTER
    assert running.pauses == sorted(running.pauses)


async def test_a_node_that_has_served_does_not_give_up() -> None:
    running = Group(1, FakeWorker.serve)
    task = asyncio.create_task(running.group.run())
    await wait_until(lambda: running.slots() == [0])
    running.begin = lambda worker: worker.end(1)
    running.started[0].end(1)
    await wait_until(lambda: len(running.started) > 2 * GIVE_UP_AFTER)
    running.begin = FakeWorker.serve
    await wait_until(lambda: running.slots() == [0])
    running.group.stop()
    await in_time(task)


async def test_a_reload_replaces_one_worker_after_another() -> None:
    running = Group(2, FakeWorker.serve)
    task = asyncio.create_task(running.group.run())
    await wait_until(lambda: running.slots() == [0, 1])
    running.begin = lambda _: None
    running.group.roll()
    await wait_until(lambda: len(running.started) == 3)
    assert running.slots() == [0, 1], "the former one serves until its replacement is ready"
    running.started[2].serve()
    await wait_until(lambda: len(running.started) == 4)
    assert (running.started[0].told, running.started[1].told) == ([Kind.RETIRE], [])
    running.started[3].serve()
    await wait_until(lambda: running.group.rolls["done"] == 1)
    assert running.started[1].told == [Kind.RETIRE]
    assert [slot.restarts for slot in running.group.slots] == [0, 0]
    running.group.stop()
    await in_time(task)


async def test_a_reload_during_another_one_follows_it() -> None:
    running = Group(1, FakeWorker.serve)
    task = asyncio.create_task(running.group.run())
    await wait_until(lambda: running.slots() == [0])
    running.begin = lambda _: None
    running.group.roll()
    await wait_until(lambda: len(running.started) == 2)
    for _ in range(2):
        running.group.roll()
    running.started[1].serve()
    await wait_until(lambda: len(running.started) == 3)
    running.started[2].serve()
    await wait_until(lambda: running.group.rolls["done"] == 2)
    assert len(running.started) == 3
    running.group.stop()
    await in_time(task)


async def test_a_replacement_that_does_not_start_leaves_the_former_worker() -> None:
    running = Group(2, FakeWorker.serve)
    task = asyncio.create_task(running.group.run())
    await wait_until(lambda: running.slots() == [0, 1])
    running.begin = lambda worker: worker.end(2)
    running.group.roll()
    await wait_until(lambda: running.group.rolls["abandoned"] == 1)
    assert running.group.serving() == running.started[:2]
    assert len(running.started) == 3
    running.group.stop()
    await in_time(task)


async def test_a_worker_that_hangs_is_killed_and_replaced() -> None:
    running = Group(2, FakeWorker.serve)
    task = asyncio.create_task(running.group.run())
    await wait_until(lambda: running.slots() == [0, 1])
    silent = running.started[1]
    silent.reports = False
    for _ in range(HANGING_CHECKS):
        running.checks.put_nowait(None)
    await wait_until(running.checks.empty)
    assert len(running.started) == 2, "the first check finds the report from before"
    running.checks.put_nowait(None)
    await wait_until(lambda: len(running.started) == 3)
    assert (silent.exit_code, running.started[0].exit_code) == (-9, None)
    running.group.stop()
    await in_time(task)
