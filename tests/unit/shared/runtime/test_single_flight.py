"""Concurrent callers for one key share one execution, and never get invalidated values."""

import asyncio
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn_shared.runtime.single_flight import Flight, OvertakenError, SingleFlight
from tests.testkit.virtual_loop import VirtualLoop

READ_SECONDS: Final = 1.0
ATTEMPTS: Final = 50
KEYS = st.sampled_from("ab")
MOMENTS = st.integers(0, 400).map(lambda hundredths: hundredths / 100)


class Source:
    """A value per key that grows with each change. A read takes time, and returns the value at its start."""

    def __init__(self, *, attempts: int = ATTEMPTS) -> None:
        self.values = {"a": 0, "b": 0}
        self.reading = {"a": 0, "b": 0}
        self.reads = 0
        self.kept: dict[str, int] = {}
        self.flights: SingleFlight[str, int] = SingleFlight(attempts=attempts)

    async def get(self, key: str) -> int:
        async def read(flight: Flight) -> int:
            self.reads += 1
            self.reading[key] += 1
            assert self.reading[key] == 1, "one at a time"
            value = self.values[key]
            await asyncio.sleep(READ_SECONDS)
            self.reading[key] -= 1
            flight.require_current()
            self.kept[key] = value
            return value

        return await self.flights.run(key, read)

    def change(self, key: str) -> None:
        self.values[key] += 1
        self.kept.pop(key, None)
        self.flights.invalidate(key)


@given(
    asks=st.lists(st.tuples(MOMENTS, KEYS, st.booleans()), min_size=1, max_size=20),
    changes=st.lists(st.tuples(MOMENTS, KEYS), max_size=10),
)
def test_nobody_is_answered_with_what_was_changed_before_the_question_and_nothing_old_is_kept(
    asks: list[tuple[float, str, bool]], changes: list[tuple[float, str]]
) -> None:
    """Also with callers who go away in between."""
    loop, source = VirtualLoop.create(), Source()
    answered: list[str] = []

    async def ask(at: float, key: str, *, leaves: bool) -> None:
        await asyncio.sleep(at)
        known = source.values[key]
        asking = asyncio.create_task(source.get(key))
        if leaves:
            await asyncio.sleep(READ_SECONDS / 3)
            asking.cancel()
        elif await asking >= known:
            answered.append(key)

    async def change(at: float, key: str) -> None:
        await asyncio.sleep(at)
        source.change(key)

    for at, key, leaves in asks:
        loop.create_task(ask(at, key, leaves=leaves))
    for at, key in changes:
        loop.create_task(change(at, key))
    loop.run(10_000.0)
    assert all(task.done() for task in loop.tasks)
    assert not loop.errors
    assert sorted(answered) == sorted(key for _, key, leaves in asks if not leaves)
    assert source.kept.items() <= source.values.items()


@given(st.lists(st.integers(0, 99), min_size=1, max_size=30))
def test_whoever_asks_during_an_execution_takes_part_in_it(hundredths: list[int]) -> None:
    loop, source = VirtualLoop.create(), Source()

    async def ask(at: float) -> None:
        await asyncio.sleep(at)
        await source.get("a")

    for each in hundredths:
        loop.create_task(ask(each / 100))
    loop.run(10.0)
    assert source.reads == 1


async def test_an_error_reaches_all_and_the_next_one_who_asks_begins_anew() -> None:
    flights: SingleFlight[str, int] = SingleFlight()
    runs = 0

    async def fail(_: Flight) -> int:
        nonlocal runs
        runs += 1
        await asyncio.sleep(0)
        raise ConnectionError("away")

    outcomes = await asyncio.gather(*(flights.run("k", fail) for _ in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ConnectionError] * 3
    assert runs == 1
    with pytest.raises(ConnectionError):
        await flights.run("k", fail)
    assert runs == 2


async def test_an_execution_that_is_overtaken_at_every_attempt_is_given_up() -> None:
    source = Source(attempts=3)

    async def restless(flight: Flight) -> int:
        source.reads += 1
        source.flights.invalidate_all()
        return 1  # without checking that it is current

    with pytest.raises(OvertakenError):
        await source.flights.run("a", restless)
    assert source.reads == 3


async def test_what_has_ended_is_not_joined_any_more() -> None:
    """Not even between its end and the end of its waiting callers: it may be out of date."""
    flights: SingleFlight[str, int] = SingleFlight()
    results: list[int] = []

    async def count(_: Flight) -> int:
        results.append(len(results))
        asyncio.get_running_loop().call_soon(again)
        return results[-1]

    joined: list[asyncio.Task[int]] = []

    def again() -> None:
        if not joined:
            joined.append(asyncio.create_task(flights.run("k", count)))

    assert await flights.run("k", count) == 0
    assert await joined[0] == 1
