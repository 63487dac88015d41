"""Repeated sign-in failures are throttled, without affecting other callers."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from keyturn_credentials.console.throttle import (
    ALLOWED_FAILURES,
    WINDOW_SECONDS,
    Throttle,
    TooManyFailuresError,
)
from keyturn_credentials.errors import UnauthenticatedError
from tests.testkit.clocks import SetClock


@pytest.fixture
def clock() -> SetClock:
    return SetClock(50.0)


@pytest.fixture
def throttle(clock: SetClock) -> Throttle:
    return Throttle(clock)


async def fail(throttle: Throttle, address: str, times: int) -> None:
    for _ in range(times):
        with pytest.raises(UnauthenticatedError):
            async with throttle.attempt(address):
                raise UnauthenticatedError("wrong")


async def is_open(throttle: Throttle, address: str) -> bool:
    """Return whether an address may try, with an attempt that is broken off."""
    try:
        async with throttle.attempt(address):
            raise ConnectionResetError
    except ConnectionResetError:
        return True
    except TooManyFailuresError:
        return False


async def test_an_address_is_closed_after_some_failures_and_open_after_a_while(
    throttle: Throttle, clock: SetClock
) -> None:
    await fail(throttle, "a", ALLOWED_FAILURES - 1)
    assert throttle.is_open("a")
    assert await is_open(throttle, "a")
    await fail(throttle, "a", 1)
    assert not throttle.is_open("a")
    assert not await is_open(throttle, "a")
    assert await is_open(throttle, "b")
    clock.time += WINDOW_SECONDS + 1
    assert await is_open(throttle, "a")


async def test_an_ipv6_caller_is_known_by_its_network(throttle: Throttle) -> None:
    for number in range(ALLOWED_FAILURES):
        await fail(throttle, f"2001:db8:1:2::{number:x}", 1)
    assert not await is_open(throttle, "2001:db8:1:2:ffff::1")
    assert await is_open(throttle, "2001:db8:1:3::1")


async def test_a_sign_in_that_succeeds_is_a_new_beginning(throttle: Throttle) -> None:
    await fail(throttle, "a", ALLOWED_FAILURES - 1)
    async with throttle.attempt("a"):
        pass
    await fail(throttle, "a", ALLOWED_FAILURES - 1)
    assert await is_open(throttle, "a")


async def test_one_that_breaks_off_is_neither_a_failure_nor_a_new_beginning(throttle: Throttle) -> None:
    await fail(throttle, "a", ALLOWED_FAILURES - 1)
    assert await is_open(throttle, "a")
    await fail(throttle, "a", 1)
    assert not await is_open(throttle, "a")


async def test_failures_of_long_ago_do_not_count(throttle: Throttle, clock: SetClock) -> None:
    await fail(throttle, "a", ALLOWED_FAILURES - 1)
    clock.time += WINDOW_SECONDS + 1
    await fail(throttle, "a", 1)
    assert await is_open(throttle, "a")


@pytest.mark.parametrize(("failed", "begun"), [(0, ALLOWED_FAILURES), (7, ALLOWED_FAILURES - 7)])
async def test_guesses_sent_at_once_get_no_further_than_one_after_the_other(
    throttle: Throttle, failed: int, begun: int
) -> None:
    await fail(throttle, "a", failed)
    looked_at, refused = 0, 0
    answer = asyncio.Event()

    async def guess() -> None:
        nonlocal looked_at, refused
        try:
            async with throttle.attempt("a"):
                looked_at += 1
                await answer.wait()
                raise UnauthenticatedError("wrong")
        except UnauthenticatedError:
            pass
        except TooManyFailuresError:
            refused += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(50):
            group.create_task(guess())
        await asyncio.sleep(0)
        assert (looked_at, refused) == (begun, 0)
        answer.set()
    assert (looked_at, refused) == (begun, 50 - begun)


async def test_those_who_are_right_wait_for_each_other_and_are_all_let_in(throttle: Throttle) -> None:
    most = under_way = let_in = 0

    async def sign_in() -> None:
        nonlocal most, under_way, let_in
        async with throttle.attempt("a"):
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            under_way -= 1
        let_in += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(50):
            group.create_task(sign_in())
    assert (most, let_in) == (ALLOWED_FAILURES, 50)
    assert not throttle._attempts, "nothing is kept of an address that nobody tries from"


async def test_a_sign_in_does_not_wait_for_ever_for_others(clock: SetClock) -> None:
    throttle = Throttle(clock, wait_seconds=0.0)
    async with AsyncExitStack() as others:
        for _ in range(ALLOWED_FAILURES):
            await others.enter_async_context(throttle.attempt("a"))
        assert not await is_open(throttle, "a")
    assert await is_open(throttle, "a")
