"""A node remembers what it accepted, for as long as it matters and as far as there is room."""

import asyncio
from collections.abc import Sequence

import pytest

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.replay import Mark
from keyturn_shared.position import Position
from keyturn_verifier.replay_guard.memory import ReplayMemory
from keyturn_verifier.replay_guard.restoration import ReplayReturn
from tests.testkit.simulated_process import Process, SimulatedClock
from tests.testkit.virtual_loop import VirtualLoop
from tests.testkit.waiting import in_time


class Registry:
    """The Redis of one epoch."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.marks: list[str] = []
        self.away = False
        self.calls = 0

    async def restore_marks(self, epoch: int, marks: Sequence[Mark]) -> bool:
        self.calls += 1
        if self.away:
            raise RedisUnavailableError("away")
        if epoch == self.epoch:
            self.marks += [key for key, _ in marks]
        return epoch == self.epoch


class Scene:
    """A memory of three marks from epoch 1, at second 0, and a Redis in epoch 2."""

    def __init__(self, capacity: int = 100) -> None:
        self.now = 0.0
        self.memory = ReplayMemory(lambda: self.now, capacity=capacity)
        for name, seconds in (("short", 10.0), ("long", 60.0), ("longer", 70.0)):
            assert self.memory.note(1, [(name, seconds)])
        self.registry = Registry(2)
        self.told = asyncio.Event()
        self.returning = ReplayReturn(self.registry, self.memory, self.told.set, elapsed=lambda: self.now)  # type: ignore[arg-type]  # the one method that is asked for


def test_marks_are_dropped_when_nobody_would_accept_the_assertion_any_more() -> None:
    scene = Scene()
    scene.now = 10.0
    assert sorted(scene.memory.begin_return(2)) == [("long", 50.0), ("longer", 60.0)]
    assert len(scene.memory) == 2


def test_what_was_claimed_in_the_new_epoch_already_need_not_be_brought_to_it() -> None:
    scene = Scene()
    assert scene.memory.note(2, [("new", 60.0)])
    assert "new" not in dict(scene.memory.begin_return(2))
    assert "new" in dict(scene.memory.begin_return(3))


def test_a_memory_that_overflowed_is_not_whole_until_what_it_dropped_does_not_matter() -> None:
    scene = Scene(capacity=2)
    assert not scene.memory.whole
    scene.now = 9.9
    assert not scene.memory.whole
    scene.now = 10.0
    assert scene.memory.whole


async def test_everything_is_brought_to_a_new_epoch_and_said_so() -> None:
    scene = Scene()
    await scene.returning.bring(2)
    assert sorted(scene.registry.marks) == ["long", "longer", "short"]
    assert scene.told.is_set()
    assert scene.returning.returned_to == 2


async def test_a_redis_that_does_not_answer_or_is_another_one_is_not_told_of_as_done() -> None:
    scene = Scene()
    scene.registry.away = True
    with pytest.raises(RedisUnavailableError):
        await scene.returning.bring(2)
    scene.registry.away = False
    scene.registry.epoch = 3
    with pytest.raises(RedisUnavailableError):
        await scene.returning.bring(2)
    assert (scene.returning.returned_to, scene.told.is_set()) == (0, False)


async def test_an_incomplete_memory_is_never_said_to_be_returned() -> None:
    scene = Scene(capacity=2)
    bringing = asyncio.create_task(scene.returning.bring(2))
    for _ in range(5):
        await asyncio.sleep(0)
    assert sorted(scene.registry.marks) == ["long", "longer"], "what is there helps all the same"
    assert (scene.returning.returned_to, scene.told.is_set()) == (0, False)
    scene.returning.moved(Position(3, 1))
    await in_time(bringing)


async def test_each_epoch_is_returned_to() -> None:
    scene = Scene()
    await scene.returning.task.start()
    for epoch in (2, 3):
        scene.registry.epoch = epoch
        scene.told.clear()
        scene.returning.moved(Position(epoch, 1))
        await in_time(scene.told.wait())
        assert scene.returning.returned_to == epoch
    for _ in range(5):
        await asyncio.sleep(0)
    assert scene.registry.calls == 2, "once to each"
    assert scene.returning.task.name == "replay-return"
    await scene.returning.task.stop()


async def test_there_is_nothing_to_bring_before_an_epoch_is_known() -> None:
    scene = Scene()
    scene.registry.epoch = 0
    await scene.returning.task.start()
    for _ in range(5):
        await asyncio.sleep(0)
    assert scene.registry.calls == 0
    scene.returning.moved(Position(0, 5))
    for _ in range(5):
        await asyncio.sleep(0)
    assert scene.registry.calls == 0, "in the same epoch there is nothing to do"
    await scene.returning.task.stop()


async def test_many_marks_are_brought_in_batches_each_once() -> None:
    scene = Scene(capacity=2_000)
    scene.memory.note(1, [(str(number), 80.0) for number in range(1_200)])
    await scene.returning.bring(2)
    assert scene.registry.calls == 3
    assert sorted(scene.registry.marks) == sorted(["short", "long", "longer", *map(str, range(1_200))])


async def test_a_node_that_accepted_nothing_says_that_nothing_is_missing() -> None:
    scene = Scene()
    scene.now = 100.0
    await scene.returning.bring(2)
    assert (scene.registry.calls, scene.returning.returned_to, scene.told.is_set()) == (0, 2, True)


def returning_in_virtual_time(scene: Scene, loop: VirtualLoop, jitters: list[float]) -> ReplayReturn:
    def jitter() -> float:
        jitters.append(1.0)
        return 1.0

    async def begin() -> None:
        await returning.task.start()
        returning.moved(Position(2, 1))

    returning = ReplayReturn(scene.registry, scene.memory, scene.told.set, elapsed=loop.time, jitter=jitter)  # type: ignore[arg-type]  # the one method that is asked for
    Process(loop, "node", SimulatedClock(loop.time, wall=0.0)).spawn(begin())
    return returning


def test_while_redis_is_away_it_tries_again_soon() -> None:
    scene, loop = Scene(), VirtualLoop.create()
    scene.registry.away = True
    jitters: list[float] = []
    returning_in_virtual_time(scene, loop, jitters)
    loop.run(10.0)
    assert scene.registry.calls == len(jitters)
    assert 25 <= scene.registry.calls <= 30, "at most every 0.4 s"
    scene.registry.away = False
    loop.run(10.5)
    assert scene.told.is_set()


def test_in_a_newer_epoch_it_tries_again_at_once() -> None:
    scene, loop = Scene(), VirtualLoop.create()
    scene.registry.away = True
    returning = returning_in_virtual_time(scene, loop, [])
    loop.run(10.0)
    before = scene.registry.calls
    returning.moved(Position(3, 1))
    loop.run(loop.time())
    assert scene.registry.calls == before + 1
