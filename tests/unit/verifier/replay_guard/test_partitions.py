"""A node's part in the partitions of used assertions."""

import asyncio
from typing import Any

import pytest

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.partitions import KEPT, ONE_PARTITION, PARTITIONING, REMEMBERS, Partitioning
from keyturn_shared.fleet.replay import AssertionUse
from keyturn_shared.oauth.errors import BeforeReplayBarrierError, ReplayedError
from keyturn_verifier.replay_guard.partitions import PartitionedGuard

BOTH, FOUR = Partitioning((1, 4)), Partitioning((4,))


class Guard:
    """A partition's guard. ``error``: raised for each assertion."""

    def __init__(self) -> None:
        self.marked: list[str] = []
        self.error: Exception | None = None
        self.closed = False

    async def mark_used(self, use: AssertionUse) -> None:
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        if use.jti in self.marked:
            raise ReplayedError(use.jti)
        self.marked.append(use.jti)

    async def close(self) -> None:
        self.closed = True


class Part:
    def __init__(self) -> None:
        self.guard = Guard()
        self.started = 0
        self.stopped = asyncio.Event()

    async def start(self) -> None:
        self.started += 1

    async def stop(self) -> None:
        self.stopped.set()


class Scene:
    def __init__(self) -> None:
        self.now = 0.0
        self.first = Guard()
        self.parts: dict[int, Part] = {}
        self.guard = PartitionedGuard(
            self.first,  # type: ignore[arg-type]  # the methods that are asked for
            self._make,
            elapsed=lambda: self.now,
            remembers=100.0,
        )

    def _make(self, number: int) -> Any:
        self.parts[number] = Part()
        return self.parts[number]

    async def mark(self, jti: str) -> None:
        await self.guard.mark_used(AssertionUse(("issuer",), jti, 60.0, 0.0))


async def test_with_one_partition_there_is_no_other() -> None:
    scene = Scene()
    await scene.guard.apply(ONE_PARTITION, 7)
    await scene.mark("a")
    assert (scene.first.marked, scene.parts) == (["a"], {})
    with pytest.raises(ReplayedError):
        await scene.mark("a")


async def test_during_a_change_an_assertion_is_marked_in_both_and_is_unused_only_in_both() -> None:
    scene = Scene()
    await scene.guard.apply(BOTH, 7)
    assert sorted(scene.parts) == [1, 2, 3, 4]
    assert all(part.started == 1 for part in scene.parts.values())
    await scene.mark("a")
    (other,) = FOUR.of("a")
    assert (scene.first.marked, scene.parts[other].guard.marked) == (["a"], ["a"])
    scene.first.marked.clear()
    with pytest.raises(ReplayedError):
        await scene.mark("a")
    scene.parts[other].guard.marked.clear()
    with pytest.raises(ReplayedError):
        await scene.mark("a")


@pytest.mark.parametrize("error", [RedisUnavailableError("away"), BeforeReplayBarrierError("lost")])
async def test_one_that_cannot_be_marked_in_both_is_refused(error: Exception) -> None:
    scene = Scene()
    await scene.guard.apply(BOTH, 7)
    (other,) = FOUR.of("a")
    scene.parts[other].guard.error = error
    with pytest.raises(type(error)):
        await scene.mark("a")
    with pytest.raises(ReplayedError):  # now it is used in the other one, which is certain
        await scene.mark("a")


async def test_partitions_that_are_given_up_are_left() -> None:
    scene = Scene()
    await scene.guard.apply(BOTH, 7)
    await scene.guard.apply(ONE_PARTITION, 7)
    await asyncio.gather(*(part.stopped.wait() for part in scene.parts.values()))
    await scene.mark("a")
    assert scene.first.marked == ["a"]
    assert scene.guard.details == {PARTITIONING: "1", REMEMBERS: 100.0}


async def test_what_was_in_force_in_an_earlier_epoch_is_kept_for_a_while() -> None:
    """The database may have been restored to a state before the partitions were introduced."""
    scene = Scene()
    await scene.guard.apply(FOUR, 7)
    await scene.mark("a")
    await scene.guard.apply(ONE_PARTITION, 8)
    assert scene.guard.details == {PARTITIONING: "1,4", REMEMBERS: 100.0, KEPT: "4"}
    with pytest.raises(ReplayedError):
        await scene.mark("a")
    scene.now = 99.9
    await scene.guard.apply(ONE_PARTITION, 8)
    assert scene.guard.partitioning == BOTH
    scene.now = 100.0
    await scene.guard.apply(ONE_PARTITION, 8)
    assert scene.guard.partitioning == ONE_PARTITION
    assert KEPT not in scene.guard.details


async def test_in_a_new_epoch_with_the_same_partitions_nothing_is_kept() -> None:
    scene = Scene()
    await scene.guard.apply(FOUR, 7)
    await scene.guard.apply(BOTH, 8)
    assert (scene.guard.partitioning, scene.guard.details.get(KEPT)) == (BOTH, None)


async def test_when_it_ends_every_partition_is_left() -> None:
    scene = Scene()
    await scene.guard.apply(FOUR, 7)
    await scene.guard.close()
    assert scene.first.closed
    assert all(part.stopped.is_set() for part in scene.parts.values())
