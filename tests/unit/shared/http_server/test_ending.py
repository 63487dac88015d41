"""The end of a connection after its last answer."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from keyturn_shared.http_server.ending import (
    HOLD_SECONDS,
    LINGER_BYTES,
    LINGER_SECONDS,
    TLS_LINGER_SECONDS,
    Lingering,
)


class Timer:
    def __init__(self, when: float, call: Callable[[], Any]) -> None:
        self.when = when
        self.call = call
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class Loop:
    """A clock that a test advances."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[Timer] = []

    def call_later(self, delay: float, call: Callable[[], Any]) -> Timer:
        self.timers.append(Timer(self.now + delay, call))
        return self.timers[-1]

    def go_on(self, seconds: float) -> None:
        self.now += seconds
        due = [timer for timer in self.timers if timer.when <= self.now]
        self.timers = [timer for timer in self.timers if timer.when > self.now]
        for timer in due:
            if not timer.is_cancelled:
                timer.call()


class Transport:
    """Records its calls. ``unsent``: what the caller has not read."""

    def __init__(self, *, half_closes: bool) -> None:
        self.half_closes = half_closes
        self.done: list[str] = []
        self.unsent = 0

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: self.done.append(name)

    def is_closing(self) -> bool:
        return False

    def can_write_eof(self) -> bool:
        return self.half_closes

    def get_write_buffer_size(self) -> int:
        return self.unsent


def lingering(*, half_closes: bool = True) -> tuple[Loop, Transport, Lingering]:
    loop, transport = Loop(), Transport(half_closes=half_closes)
    begun = Lingering(
        cast("asyncio.AbstractEventLoop", loop), cast("asyncio.Transport", transport), b"answer"
    )
    return loop, transport, begun


@pytest.mark.parametrize(
    ("half_closes", "seconds", "said"),
    [(True, LINGER_SECONDS, ["write", "write_eof"]), (False, TLS_LINGER_SECONDS, ["write"])],
)
def test_it_closes_when_the_answer_had_time_to_arrive(
    half_closes: bool, seconds: float, said: list[str]
) -> None:
    loop, transport, _ = lingering(half_closes=half_closes)
    loop.go_on(seconds - 0.01)
    assert transport.done == said
    loop.go_on(0.01)
    assert transport.done == [*said, "close"]


def test_it_waits_for_a_caller_that_has_not_taken_the_answer_in() -> None:
    loop, transport, begun = lingering()
    transport.unsent = 1
    loop.go_on(LINGER_SECONDS)
    loop.go_on(LINGER_SECONDS)
    assert transport.done == ["write", "write_eof"]
    begun.cancel()
    loop.go_on(10 * LINGER_SECONDS)
    assert transport.done == ["write", "write_eof"]


def test_it_resets_a_caller_that_has_sent_on() -> None:
    loop, transport, begun = lingering()
    begun.passed_over(bytes(LINGER_BYTES))
    loop.go_on(LINGER_SECONDS)
    assert transport.done == ["write", "write_eof", "abort"]


@pytest.mark.parametrize("half_closes", [True, False])
def test_it_reads_nothing_more_of_a_flood_and_lets_it_wait(half_closes: bool) -> None:
    loop, transport, begun = lingering(half_closes=half_closes)
    transport.done.clear()
    begun.passed_over(bytes(LINGER_BYTES))
    assert transport.done == []
    begun.passed_over(b"x")
    begun.passed_over(b"what was on its way already")
    assert transport.done == ["pause_reading"]
    loop.go_on(HOLD_SECONDS - 0.01)
    assert transport.done == ["pause_reading"]
    loop.go_on(0.01)
    assert transport.done == ["pause_reading", "abort"]
