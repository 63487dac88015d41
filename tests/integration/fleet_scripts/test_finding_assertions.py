"""A used assertion is found where marking it would be refused, and nothing is marked."""

import time

import pytest

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.replay import AssertionUse, UseOutcome
from tests.integration.fleet_scripts.conftest import Fleet


def use(jti: str = "one", *, issued_at: float | None = None) -> AssertionUse:
    return AssertionUse(("named", "uuid"), jti, 60.0, time.time() if issued_at is None else issued_at)


async def test_an_unused_one_stays_unused(fleet: Fleet) -> None:
    before = await fleet.everything()
    for _ in range(2):
        assert await fleet.assertions().find(use()) is UseOutcome.MARKED
    assert await fleet.everything() == before
    assert (await fleet.assertions().mark_used([use()])).outcomes == (UseOutcome.MARKED,)


async def test_a_used_one_is_found_under_each_of_its_names(fleet: Fleet) -> None:
    await fleet.assertions().mark_used([AssertionUse(("named",), "one", 60.0, time.time())])
    await fleet.assertions().mark_used([AssertionUse(("uuid",), "two", 60.0, time.time())])
    for jti in ("one", "two"):
        assert await fleet.assertions().find(use(jti)) is UseOutcome.USED
    assert await fleet.assertions().find(use("three")) is UseOutcome.MARKED


async def test_one_from_before_the_replay_barrier_is_told_apart(fleet: Fleet) -> None:
    await fleet.set_head(replay_barrier=1_000_000)
    for issued_at, outcome in (
        (900.0, UseOutcome.BEFORE_BARRIER),
        (1015.0, UseOutcome.BEFORE_BARRIER),
        (1015.001, UseOutcome.MARKED),
    ):
        assert await fleet.assertions("node").find(use(issued_at=issued_at)) is outcome


async def test_a_redis_that_is_not_trusted_tells_nothing(fleet: Fleet) -> None:
    await fleet.distrust()
    with pytest.raises(RedisUnavailableError):
        await fleet.assertions().find(use())
