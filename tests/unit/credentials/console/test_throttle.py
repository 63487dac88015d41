"""Who guesses at the sign-in is slowed down, and nobody else."""

import pytest

from keyturn_credentials.console.throttle import ALLOWED_FAILURES, WINDOW_SECONDS, Throttle
from tests.support.clocks import SetClock


@pytest.fixture
def clock() -> SetClock:
    return SetClock(50.0)


@pytest.fixture
def throttle(clock: SetClock) -> Throttle:
    return Throttle(clock)


def fail(throttle: Throttle, address: str, times: int) -> None:
    for _ in range(times):
        throttle.note_failure(address)


def test_an_address_is_closed_after_some_failures_and_open_after_a_while(
    throttle: Throttle, clock: SetClock
) -> None:
    fail(throttle, "a", ALLOWED_FAILURES - 1)
    assert throttle.is_open("a")
    fail(throttle, "a", 1)
    assert not throttle.is_open("a")
    assert throttle.is_open("b")
    clock.time += WINDOW_SECONDS + 1
    assert throttle.is_open("a")


def test_a_sign_in_that_succeeds_is_a_new_beginning(throttle: Throttle) -> None:
    fail(throttle, "a", ALLOWED_FAILURES)
    throttle.forgive("a")
    assert throttle.is_open("a")
    throttle.forgive("unknown")


def test_failures_of_long_ago_do_not_count(throttle: Throttle, clock: SetClock) -> None:
    fail(throttle, "a", ALLOWED_FAILURES - 1)
    clock.time += WINDOW_SECONDS + 1
    fail(throttle, "a", 1)
    assert throttle.is_open("a")
