"""Time is virtual, and processes stop, continue and die at any await."""

import asyncio
from typing import Any

from tests.testkit.simulated_process import Process, SimulatedClock
from tests.testkit.virtual_loop import VirtualLoop


def _process(loop: VirtualLoop, name: str) -> Process:
    return Process(loop, name, SimulatedClock(loop.time, wall=0.0))


async def _steps(seen: list[float], loop: VirtualLoop) -> None:
    while True:
        seen.append(loop.time())
        await asyncio.sleep(1.0)


def test_a_day_takes_a_second() -> None:
    loop = VirtualLoop.create()
    seen: list[Any] = []
    _process(loop, "one").spawn(_steps(seen, loop))
    loop.run(86_400.0)
    assert len(seen) == 86_400 + 1


def test_a_stopped_process_does_nothing_until_it_goes_on_and_then_finds_what_came() -> None:
    loop = VirtualLoop.create()
    stopped, other = _process(loop, "stopped"), _process(loop, "other")
    seen: list[float] = []
    others: list[float] = []
    stopped.spawn(_steps(seen, loop))
    other.spawn(_steps(others, loop))
    loop.call_later(1.5, stopped.stop)
    loop.call_later(7.25, stopped.go_on)
    loop.run(9.0)
    assert seen == [0.0, 1.0, 7.25, 8.25]
    assert others == [float(second) for second in range(10)]
    assert stopped.clock.elapsed() == 9.0, "a sound clock runs on"


def test_a_killed_process_runs_none_of_its_code_again() -> None:
    loop = VirtualLoop.create()
    seen: list[Any] = []
    process = _process(loop, "one")

    async def work() -> None:
        try:
            await asyncio.sleep(5.0)
        finally:
            seen.append("cleaned up")

    process.spawn(work())
    loop.call_later(1.0, process.kill)
    loop.run(100.0)
    assert seen == []


def test_time_limits_run_in_virtual_time() -> None:
    loop = VirtualLoop.create()
    seen: list[Any] = []

    async def work() -> None:
        try:
            async with asyncio.timeout(2.0):
                await asyncio.Event().wait()
        except TimeoutError:
            seen.append(loop.time())

    _process(loop, "one").spawn(work())
    loop.run(10.0)
    assert seen == [2.0]
    assert loop.errors == []


def test_a_callback_that_raises_is_noted() -> None:
    loop = VirtualLoop.create()
    loop.call_soon(lambda: 1 // 0)
    loop.run(1.0)
    assert len(loop.errors) == 1
