"""Claims of assertions are gathered into round trips, and none is left behind."""

import asyncio
from collections.abc import Sequence

import pytest
from prometheus_client import CollectorRegistry

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.replay import AssertionUse, Claim
from keyturn_verifier.authentication.replay import AssertionClaims
from keyturn_verifier.errors import ReplayedError
from keyturn_verifier.metrics import AnswerMetrics


class Memory:
    """Remembers uses, as the fleet does; ``failing`` makes it Redis that does not answer."""

    def __init__(self) -> None:
        self.used: set[str] = set()
        self.trips: list[int] = []
        self.failing = False

    async def claim(self, uses: Sequence[AssertionUse]) -> list[Claim]:
        self.trips.append(len(uses))
        await asyncio.sleep(0)
        if self.failing:
            raise RedisUnavailableError("away")
        fates = [Claim.USED if use.jti in self.used else Claim.CLAIMED for use in uses]
        self.used |= {use.jti for use in uses}
        return fates


def claims_over(memory: Memory) -> AssertionClaims:
    return AssertionClaims(memory, AnswerMetrics(CollectorRegistry()))  # type: ignore[arg-type]


def use(jti: str) -> AssertionUse:
    return AssertionUse("client", jti, 60.0, 0.0)


async def test_a_claim_made_the_moment_another_is_answered_is_answered_too() -> None:
    claims = claims_over(Memory())
    for number in range(5):
        await asyncio.wait_for(claims.claim(use(str(number))), 1)


async def test_claims_that_come_while_one_is_under_way_share_the_next_round_trip() -> None:
    memory = Memory()
    claims = claims_over(memory)
    first = asyncio.create_task(claims.claim(use("first")))
    for _ in range(2):
        await asyncio.sleep(0)
    await asyncio.gather(first, *(claims.claim(use(str(number))) for number in range(10)))
    assert memory.trips == [1, 10]


async def test_a_second_use_is_a_replay() -> None:
    claims = claims_over(Memory())
    await claims.claim(use("a"))
    with pytest.raises(ReplayedError):
        await claims.claim(use("a"))


async def test_after_a_failure_the_next_claim_is_made_again() -> None:
    memory = Memory()
    claims = claims_over(memory)
    memory.failing = True
    with pytest.raises(RedisUnavailableError):
        await claims.claim(use("a"))
    memory.failing = False
    await asyncio.wait_for(claims.claim(use("b")), 1)
