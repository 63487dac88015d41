"""A connection's deadline, even in a process that stands still for longer."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from keyturn_shared.http_server.deadline import Deadline


class Loop:
    """A clock that a test advances, and the callbacks by time."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[tuple[float, Callable[[], Any]]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, call: Callable[[], Any]) -> asyncio.TimerHandle:
        self.timers.append((when, call))
        return cast("asyncio.TimerHandle", self)

    def cancel(self) -> None:
        """Cancel like a handle, of which there is one at a time here."""
        self.timers.clear()

    def go_to(self, when: float) -> None:
        """Run the callbacks that have become due."""
        self.now = when
        due = [timer for timer in self.timers if timer[0] <= when]
        self.timers = [timer for timer in self.timers if timer[0] > when]
        for _, call in due:
            call()


def made() -> tuple[Loop, Deadline, list[float]]:
    loop, passed = Loop(), list[float]()
    return loop, Deadline(cast("asyncio.AbstractEventLoop", loop), lambda: passed.append(loop.now)), passed


def test_it_passes_once_when_its_time_has_come() -> None:
    loop, deadline, passed = made()
    deadline.set(110.0)
    loop.go_to(109.9)
    assert passed == []
    loop.go_to(110.0)
    loop.go_to(200.0)
    assert passed == [110.0]


def test_a_later_time_is_kept_without_a_timer_of_its_own() -> None:
    loop, deadline, passed = made()
    deadline.set(110.0)
    deadline.set(120.0)
    loop.go_to(110.0)
    assert passed == []
    loop.go_to(120.0)
    assert passed == [120.0]


@pytest.mark.parametrize("standstill", [0.01, 20.0])
def test_what_came_while_the_process_stood_still_is_read_before_anything_is_said_to_be_late(
    standstill: float,
) -> None:
    loop, deadline, passed = made()
    deadline.set(110.0)
    loop.go_to(110.0 + standstill)
    assert passed == []
    deadline.set(140.0)  # it was read, and was a request
    loop.go_to(110.0 + standstill + 0.2)
    assert passed == []


def test_after_that_moment_it_is_late() -> None:
    loop, deadline, passed = made()
    deadline.set(110.0)
    loop.go_to(130.0)
    loop.go_to(135.0)
    assert passed == [135.0], "also in a process that stands still again"


def test_the_moment_does_not_begin_anew_with_each_piece_of_a_request() -> None:
    loop, deadline, passed = made()
    deadline.set(110.0)
    loop.go_to(110.0 + 0.02)
    while not passed and loop.now < 115.0:
        deadline.set(110.0)
        loop.go_to(loop.now + 0.025)
    assert passed == [pytest.approx(110.12, abs=0.03)]


def test_pieces_that_had_arrived_are_all_read_within_the_moment() -> None:
    loop, deadline, passed = made()
    deadline.set(110.0)
    loop.go_to(130.0)
    for _ in range(3):
        deadline.set(110.0)
        loop.go_to(loop.now + 0.001)
    deadline.set(140.0)  # the last piece completed it
    loop.go_to(135.0)
    assert passed == []
