"""Marks of assertions are batched into round trips, and none is lost."""

import asyncio
from collections.abc import Sequence

import pytest
from prometheus_client import CollectorRegistry

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.replay import AssertionUse, Mark, MarkedUses, UnexpectedClaimantError, UseOutcome
from keyturn_shared.oauth.errors import BeforeReplayBarrierError, ReplayedError
from keyturn_shared.oauth.metrics import AnswerMetrics
from keyturn_verifier.replay_guard.guard import ReplayGuard
from keyturn_verifier.replay_guard.memory import ReplayMemory
from tests.testkit.waiting import in_time


class Memory:
    """Records uses like the fleet; ``failing`` makes it a Redis that does not answer."""

    def __init__(self) -> None:
        self.used: set[str] = set()
        self.trips: list[int] = []
        self.failing = False
        self.unexpected = 0
        self.epoch = 1

    async def mark_used(self, uses: Sequence[AssertionUse]) -> MarkedUses:
        self.trips.append(len(uses))
        if self.unexpected:
            self.unexpected -= 1
            raise UnexpectedClaimantError("not yet")
        await asyncio.sleep(0)
        if self.failing:
            raise RedisUnavailableError("away")
        outcomes = [UseOutcome.USED if use.jti in self.used else UseOutcome.MARKED for use in uses]
        self.used |= {use.jti for use in uses}
        return MarkedUses(self.epoch, tuple(outcomes), marks_of(uses))


def marks_of(uses: Sequence[AssertionUse]) -> list[list[Mark]]:
    return [[(use.jti, 60.0)] for use in uses]


def claims_over(memory: Memory, own: ReplayMemory | None = None) -> ReplayGuard:
    own = ReplayMemory(lambda: 0.0) if own is None else own

    async def no_sleep(_: float) -> None:
        return

    return ReplayGuard(memory, own, AnswerMetrics(CollectorRegistry()), sleep=no_sleep)  # type: ignore[arg-type]  # the methods that are asked for


async def test_it_asks_ten_times_a_second_whether_it_is_admitted() -> None:
    memory, pauses = Memory(), list[float]()
    memory.unexpected = 3

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    own = ReplayMemory(lambda: 0.0)
    guard = ReplayGuard(memory, own, AnswerMetrics(CollectorRegistry()), sleep=sleep)  # type: ignore[arg-type]  # the methods that are asked for
    await in_time(guard.mark_used(use("a")))
    assert pauses == [0.1] * 3


async def test_only_what_it_marked_itself_is_remembered() -> None:
    memory, own = Memory(), ReplayMemory(lambda: 0.0)
    memory.used = {"used"}
    guard = claims_over(memory, own)
    outcomes = await asyncio.gather(*map(guard.mark_used, map(use, ("used", "new"))), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ReplayedError, type(None)]
    assert own.begin_return(2) == [("new", 60.0)]


async def test_what_was_issued_before_memory_was_lost_is_refused_as_such() -> None:
    class Forgetful(Memory):
        async def mark_used(self, uses: Sequence[AssertionUse]) -> MarkedUses:
            return MarkedUses(1, (UseOutcome.BEFORE_BARRIER,) * len(uses), marks_of(uses))

    own = ReplayMemory(lambda: 0.0)
    with pytest.raises(BeforeReplayBarrierError):
        await claims_over(Forgetful(), own).mark_used(use("a"))
    assert len(own) == 0


async def test_whoever_asks_after_the_end_is_told_that_redis_is_unavailable() -> None:
    guard = claims_over(Memory())
    await guard.close()
    with pytest.raises(RedisUnavailableError, match="marking assertions"):
        await in_time(guard.mark_used(use("a")))


def use(jti: str) -> AssertionUse:
    return AssertionUse(("client",), jti, 60.0, 0.0)


async def test_a_claim_made_the_moment_another_is_answered_is_answered_too() -> None:
    claims = claims_over(Memory())
    for number in range(5):
        await in_time(claims.mark_used(use(str(number))))


async def test_claims_that_come_while_one_is_under_way_share_the_next_round_trip() -> None:
    memory = Memory()
    claims = claims_over(memory)
    first = asyncio.create_task(claims.mark_used(use("first")))
    for _ in range(2):
        await asyncio.sleep(0)
    await asyncio.gather(first, *(claims.mark_used(use(str(number))) for number in range(10)))
    assert memory.trips == [1, 10]


async def test_a_second_use_is_a_replay() -> None:
    claims = claims_over(Memory())
    await claims.mark_used(use("a"))
    with pytest.raises(ReplayedError):
        await claims.mark_used(use("a"))


async def test_after_a_failure_the_next_claim_is_made_again() -> None:
    memory = Memory()
    claims = claims_over(memory)
    memory.failing = True
    with pytest.raises(RedisUnavailableError):
        await claims.mark_used(use("a"))
    memory.failing = False
    await in_time(claims.mark_used(use("b")))


async def test_a_node_that_has_just_joined_waits_for_its_admission() -> None:
    memory = Memory()
    memory.unexpected = 5
    await in_time(claims_over(memory).mark_used(use("a")))
    assert memory.used == {"a"}


async def test_a_node_that_is_never_admitted_accepts_nothing() -> None:
    memory = Memory()
    memory.unexpected = 1_000
    with pytest.raises(RedisUnavailableError):
        await in_time(claims_over(memory).mark_used(use("a")))
    assert memory.used == set()


async def test_a_claim_counts_for_nothing_once_the_memory_went_to_a_newer_epoch() -> None:
    memory, own = Memory(), ReplayMemory(lambda: 0.0)
    claims = claims_over(memory, own)
    await claims.mark_used(use("a"))
    assert own.begin_return(2) == [("a", 60.0)]
    with pytest.raises(RedisUnavailableError, match="epoch"):
        await claims.mark_used(use("b"))
    memory.epoch = 2
    await claims.mark_used(use("c"))


class Interrupted(Memory):
    """Is cancelled during a call to Redis."""

    async def mark_used(self, uses: Sequence[AssertionUse]) -> MarkedUses:
        await asyncio.sleep(0)
        raise asyncio.CancelledError


async def test_whoever_waits_is_told_when_claiming_is_interrupted() -> None:
    """Waiting uses and uses in progress are resolved; nothing else would end their waiting."""
    claims = claims_over(Interrupted())
    waiting = [asyncio.create_task(claims.mark_used(use("first")))]
    await asyncio.sleep(0)
    waiting += [asyncio.create_task(claims.mark_used(use(str(number)))) for number in range(2)]
    outcomes = await in_time(asyncio.gather(*waiting, return_exceptions=True))
    assert [type(outcome) for outcome in outcomes] == [RedisUnavailableError] * 3


async def test_the_last_look_at_whether_a_node_is_admitted_counts_too() -> None:
    memory = Memory()
    memory.unexpected = 20
    await in_time(claims_over(memory).mark_used(use("late")))
    assert memory.used == {"late"}
