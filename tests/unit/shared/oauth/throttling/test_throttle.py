"""Callers that fail too often are refused for a while, others are not, even if Redis is unavailable."""

import asyncio
from collections.abc import Mapping

import pytest
from prometheus_client import CollectorRegistry

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.failures import FailureCount
from keyturn_shared.oauth.errors import TooManyFailuresError
from keyturn_shared.oauth.metrics import ThrottleMetrics
from keyturn_shared.oauth.throttling.counts import Counts
from keyturn_shared.oauth.throttling.throttle import Caller, FailureLimits, Throttle

LIMITS = FailureLimits(per_client=3, per_address=8, window_seconds=60)


class Fleet:
    """Counts like Redis, for several nodes; ``away`` makes it not answer."""

    def __init__(self) -> None:
        self.totals: dict[str, int] = {}
        self.trips: list[int] = []
        self.away = False

    async def add(self, failures: Mapping[str, int]) -> dict[str, FailureCount]:
        self.trips.append(sum(failures.values()))
        await asyncio.sleep(0)
        if self.away:
            raise RedisUnavailableError("away")
        for name, number in failures.items():
            self.totals[name] = self.totals.get(name, 0) + number
        return {name: FailureCount(self.totals[name], 30) for name in failures}


class Scene:
    def __init__(self, fleet: Fleet, limits: FailureLimits = LIMITS) -> None:
        self.now = 100.0
        self.metrics = ThrottleMetrics(CollectorRegistry())
        self.throttle = Throttle(limits, fleet, self.metrics, lambda: self.now)

    async def fail(self, caller: Caller, times: int) -> None:
        for _ in range(times):
            self.throttle.failed(caller)
        await self.settle()

    async def settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    def refuses(self, caller: Caller) -> bool:
        try:
            self.throttle.require(caller)
        except TooManyFailuresError as error:
            return 1 <= error.retry_after <= 60
        return False


def caller(client_id: str | None = "worker", address: str | None = "192.0.2.1") -> Caller:
    return Caller(address, "acme", client_id)


async def test_a_client_is_refused_at_the_address_it_failed_from_and_nowhere_else() -> None:
    scene = Scene(Fleet())
    assert not scene.throttle.refuses_any
    await scene.fail(caller(), 2)
    assert not scene.refuses(caller())
    await scene.fail(caller(), 1)
    assert scene.refuses(caller())
    assert not scene.refuses(caller(address="192.0.2.2")), "an attacker must not lock out the real client"
    assert not scene.refuses(caller("other"))


async def test_an_address_is_refused_for_whatever_it_tries() -> None:
    scene = Scene(Fleet())
    for number in range(8):
        await scene.fail(caller(f"guess-{number}"), 1)
    for tried in (caller("another"), caller(None)):
        assert scene.refuses(tried)
    assert not scene.refuses(caller("another", "192.0.2.2"))


async def test_what_fails_without_naming_a_client_counts_for_its_address() -> None:
    scene = Scene(Fleet())
    await scene.fail(caller(None), 8)
    assert scene.refuses(caller())


async def test_a_refusal_ends_with_its_window() -> None:
    scene = Scene(Fleet())
    await scene.fail(caller(), 3)
    scene.now += 59.0
    assert scene.refuses(caller())
    scene.now += 2.0
    assert not scene.refuses(caller())
    assert not scene.throttle.refuses_any


async def test_nodes_count_together() -> None:
    fleet = Fleet()
    one, other = Scene(fleet), Scene(fleet)
    await one.fail(caller(), 2)
    await other.fail(caller(), 1)
    assert other.refuses(caller())


async def test_failures_that_come_while_redis_is_asked_share_the_next_round_trip() -> None:
    fleet = Fleet()
    scene = Scene(fleet, FailureLimits(0, 10_000, 60))
    await scene.fail(caller(), 500)
    assert sum(fleet.trips) == 500
    assert len(fleet.trips) <= 2


async def test_while_redis_is_away_a_node_counts_for_itself() -> None:
    fleet = Fleet()
    fleet.away = True
    scene = Scene(fleet)
    await scene.fail(caller(), 3)
    assert scene.refuses(caller())
    await scene.throttle.stop()


async def test_an_unknown_address_and_a_limit_of_zero_let_everything_pass() -> None:
    fleet = Fleet()
    scene = Scene(fleet)
    await scene.fail(caller(address=None), 100)
    off = Scene(fleet, FailureLimits(0, 0, 60))
    await off.fail(caller(), 100)
    assert not scene.throttle.refuses_any
    assert not off.throttle.refuses_any
    assert fleet.trips == []


def test_counts_are_bounded_and_the_oldest_windows_go_first() -> None:
    now = 0.0
    counts = Counts(60, lambda: now, capacity=3)
    for name in "abcd":
        counts.add(name)
    assert len(counts) == 3
    assert counts.add("d") == (2, 60)
    assert counts.add("a") == (1, 60), "it was given up"
    now = 61.0
    assert counts.add("d")[0] == 1
    assert len(counts) == 1


@pytest.mark.parametrize("text", ["x" * 100_000, "\0", "\udcff"])
async def test_whatever_a_client_calls_itself_takes_little_room(text: str) -> None:
    assert all(len(name) < 100 for name, _ in caller(text).names(LIMITS))
