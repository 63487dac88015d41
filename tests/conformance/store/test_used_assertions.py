"""Every instance remembers a used assertion until it would be refused as expired, and no longer."""

import asyncio

import pytest

from keyturn_credentials.authorization.used_assertions import MAX_OF_ONE, DatabaseAssertions
from keyturn_shared.fleet.replay import AssertionUse
from keyturn_shared.oauth.errors import ReplayedError, UnavailableError
from tests.conformance.store.conftest import Instance
from tests.testkit.clocks import SetClock

LEEWAY = 15.0


def use(jti: str, *issuers: str, seconds: float = 60.0) -> AssertionUse:
    return AssertionUse(issuers or ("named", "uuid"), jti, seconds, 0.0)


async def test_of_many_uses_at_once_one_is_the_first(instance: Instance, other: Instance) -> None:
    clock = SetClock(1000.0)
    memories = [DatabaseAssertions(each.store, clock, LEEWAY) for each in (instance, other)]
    claims = [memories[number % 2].mark_used(use("same")) for number in range(10)]
    outcomes = await asyncio.gather(*claims, return_exceptions=True)
    assert outcomes.count(None) == 1
    assert sum(isinstance(outcome, ReplayedError) for outcome in outcomes) == 9


async def test_one_is_used_under_each_of_the_names_of_who_signed_it(instance: Instance) -> None:
    memory = DatabaseAssertions(instance.store, SetClock(1000.0), LEEWAY)
    await memory.mark_used(use("same", "name", "uuid"))
    with pytest.raises(ReplayedError):
        await memory.mark_used(use("same", "name", "another uuid"))
    await memory.mark_used(use("same", "another name", "another uuid"))
    await memory.mark_used(use("other", "name", "uuid"))


async def test_one_is_forgotten_when_no_clock_would_take_it_any_more(instance: Instance) -> None:
    clock = SetClock(1000.0)
    memory = DatabaseAssertions(instance.store, clock, LEEWAY)
    await memory.mark_used(use("same", seconds=60))
    clock.time += 60 + LEEWAY
    with pytest.raises(ReplayedError):
        await memory.mark_used(use("same", seconds=60))
    clock.time += 1
    await memory.mark_used(use("same", seconds=60))


async def test_one_client_fills_no_more_than_its_share(instance: Instance) -> None:
    clock = SetClock(1000.0)
    memory = DatabaseAssertions(instance.store, clock, LEEWAY)
    for number in range(MAX_OF_ONE):
        await memory.mark_used(use(str(number), "greedy"))
    with pytest.raises(UnavailableError):
        await memory.mark_used(use("one more", "greedy"))
    with pytest.raises(UnavailableError):
        await memory.require_unused(use("one more", "greedy"))
    await memory.mark_used(use("of another client", "modest"))
    # The UUID of the greedy one was chosen to equal the other's name.
    await memory.mark_used(use("also of another client", "greedy", "its own uuid"))
    clock.time += 61 + LEEWAY
    await memory.require_unused(use("one more", "greedy"))
    await memory.mark_used(use("one more", "greedy"))


async def test_a_used_one_is_found_without_a_use_of_its_own(instance: Instance) -> None:
    clock = SetClock(1000.0)
    memory = DatabaseAssertions(instance.store, clock, LEEWAY)
    for _ in range(2):
        await memory.require_unused(use("same"))
    await memory.mark_used(use("same", "uuid"))
    with pytest.raises(ReplayedError):
        await memory.require_unused(use("same"))
    await memory.require_unused(use("same", "another uuid"))
    await memory.require_unused(use("other"))
    clock.time += 61 + LEEWAY
    await memory.require_unused(use("same"))
