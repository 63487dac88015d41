"""Requests during a call share the next one, and each gets its own result."""

import asyncio
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn_shared.runtime.batcher import Batcher
from tests.testkit.virtual_loop import VirtualLoop
from tests.testkit.waiting import in_time

CALL_SECONDS: Final = 1.0
MAX_BATCH: Final = 4


class FullError(Exception):
    """A refusal."""


class Backend:
    """Doubles numbers; a batch with a negative one fails. Records each call and its start."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.calls: list[tuple[float, list[int]]] = []
        self.under_way = 0
        self._loop = loop or asyncio.get_running_loop()

    async def double(self, items: list[int]) -> list[int]:
        self.under_way += 1
        assert self.under_way == 1, "one at a time"
        self.calls.append((self._loop.time(), items))
        await asyncio.sleep(CALL_SECONDS)
        self.under_way -= 1
        if min(items) < 0:
            raise ConnectionError(str(items))
        return [2 * item for item in items]

    def batcher(self, *, max_waiting: int = 100) -> Batcher[int, int]:
        return Batcher(self.double, max_batch=MAX_BATCH, max_waiting=max_waiting, refuse=FullError)


REQUESTS = st.lists(
    st.tuples(st.integers(0, 50).map(lambda tenths: tenths / 10), st.integers(-3, 1000), st.booleans()),
    min_size=1,
    max_size=30,
)


@given(REQUESTS)
def test_each_gets_its_own_result_or_the_error_of_its_own_batch(
    requests: list[tuple[float, int, bool]],
) -> None:
    """Also with callers who go away in between."""
    loop = VirtualLoop.create()
    backend = Backend(loop)
    batcher = backend.batcher()
    outcomes: list[tuple[int, int | str]] = []

    async def ask(at: float, item: int, *, leaves: bool) -> None:
        await asyncio.sleep(at)
        future = batcher.submit(item)
        if leaves:
            await asyncio.sleep(0)
            future.cancel()
            return
        try:
            outcomes.append((item, await future))
        except ConnectionError as error:
            outcomes.append((item, str(error)))

    for at, item, leaves in requests:
        loop.create_task(ask(at, item, leaves=leaves))
    loop.run(1000.0)
    assert all(task.done() for task in loop.tasks)
    assert not loop.errors
    assert sorted(item for item, _ in outcomes) == sorted(item for _, item, leaves in requests if not leaves)
    failed = {str(items) for _, items in backend.calls if min(items) < 0}
    for item, outcome in outcomes:
        assert outcome == 2 * item or (outcome in failed and f"{item}" in str(outcome))
    assert all(len(items) <= MAX_BATCH for _, items in backend.calls)


@given(st.lists(st.integers(0, 30).map(lambda tenths: tenths / 10), min_size=1, max_size=20))
def test_nobody_waits_longer_than_for_the_calls_before_its_own(moments: list[float]) -> None:
    loop = VirtualLoop.create()
    backend = Backend(loop)
    batcher = backend.batcher()
    waits: list[tuple[int, float]] = []

    async def ask(number: int, at: float) -> None:
        await asyncio.sleep(at)
        await batcher.submit(number)
        waits.append((number, loop.time() - at))

    moments.sort()
    for number, at in enumerate(moments):
        loop.create_task(ask(number, at))
    loop.run(1000.0)
    assert [number for _, items in backend.calls for number in items] == list(range(len(moments)))
    for number, waited in waits:
        before = sum(other <= moments[number] for other in moments)
        assert waited <= CALL_SECONDS * (2 + before // MAX_BATCH) + 1e-6


async def test_those_who_come_during_a_pause_have_a_part_in_the_next_call() -> None:
    gate = asyncio.Event()
    calls: list[list[int]] = []

    async def call(items: list[int]) -> list[int]:
        calls.append(items)
        return items

    async def pause() -> None:
        await gate.wait()

    batcher = Batcher(call, max_batch=9, max_waiting=9, refuse=FullError, pause=pause)
    futures = [batcher.submit(1)]
    await asyncio.sleep(0)
    futures.append(batcher.submit(2))
    gate.set()
    assert await asyncio.gather(*futures) == [1, 2]
    assert calls == [[1, 2]]


async def test_those_beyond_the_bound_are_refused_and_nobody_else() -> None:
    backend = Backend()
    batcher = backend.batcher(max_waiting=2)
    kept = [batcher.submit(number) for number in range(2)]
    with pytest.raises(FullError):
        batcher.submit(3)
    await batcher.close()
    for future in kept:
        with pytest.raises(FullError):
            await future


@pytest.mark.parametrize("turns", range(3))
async def test_closing_refuses_those_under_way_those_who_wait_and_those_to_come(turns: int) -> None:
    batcher = Backend().batcher()
    futures = [batcher.submit(number) for number in range(MAX_BATCH + 1)]
    for _ in range(turns):
        await asyncio.sleep(0)
    await batcher.close()
    for future in futures:
        with pytest.raises(FullError):
            await future
    with pytest.raises(FullError):
        batcher.submit(1)


async def test_one_that_comes_the_moment_another_is_answered_is_answered_too() -> None:
    async def call(items: list[int]) -> list[int]:
        return items

    batcher = Batcher(call, max_batch=1, max_waiting=9, refuse=FullError)
    for number in range(5):
        assert await in_time(batcher.submit(number)) == number


async def test_a_call_with_too_few_results_fails_for_those_without_one() -> None:
    async def call(items: list[int]) -> list[int]:
        return items[:1]

    batcher = Batcher(call, max_batch=9, max_waiting=9, refuse=FullError)
    first, second = batcher.submit(1), batcher.submit(2)
    assert await first == 1
    with pytest.raises(ValueError, match="shorter"):
        await second
