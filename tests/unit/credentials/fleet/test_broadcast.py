"""All watchers of the fleet share one poll, and each is re-authenticated as soon as an event concerns it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from keyturn_credentials.domain.roles import Person, Principal, Role
from keyturn_credentials.errors import ForbiddenError, StoreUnavailableError, UnauthenticatedError
from keyturn_credentials.fleet.broadcast import FleetBroadcast
from keyturn_credentials.fleet.propagation_view import FleetWatch, Flow, Look
from keyturn_credentials.web.streams import AUTHORISED_SECONDS, STREAM_SECONDS, fleet_lines
from keyturn_shared.errors import RedisUnavailableError
from tests.testkit.clocks import SetClock

ORDERS = Principal("shop", "1", "orders", frozenset({Role.VIEW_CLIENTS}))
BILLING = Principal("shop", "2", "billing", frozenset({Role.VIEW_CLIENTS}))
OTHER = Principal("acme", "3", "other", frozenset({Role.VIEW_CLIENTS}))
VIEW = frozenset({Role.VIEW_CLIENTS})
PERSON = Principal.of_person(Person("https://id.example", "1", "Ada"), {"acme": VIEW, "shop": VIEW})
ADMIN = Principal("master", "4", "admin", frozenset(Role))


class Fleet:
    """Looks prepared by a test; each is taken when the test lets time pass."""

    def __init__(self) -> None:
        self.next: deque[Look | Exception] = deque()
        self.looks = 0
        self.pauses: list[float] = []
        self.metrics = CollectorRegistry()
        self._gate = asyncio.Semaphore(0)
        self.broadcast = FleetBroadcast(
            lambda: cast("FleetWatch", self),
            self.metrics,
            elapsed=lambda: 0.0,
            sleep=self._sleep,
        )

    async def look(self) -> Look:
        self.looks += 1
        upcoming = self.next.popleft() if self.next else look()
        if isinstance(upcoming, Exception):
            raise upcoming
        return upcoming

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await self._gate.acquire()

    async def tick(self) -> None:
        """End one pause, and let everything run that is then due."""
        self._gate.release()
        await settled()


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def look(head: int = 1, touched: frozenset[str] | None = frozenset(), flows: tuple[Flow, ...] = ()) -> Look:
    return Look({"head": head, "nodes": []}, flows, touched)


async def test_however_many_watch_the_fleet_is_read_once() -> None:
    fleet = Fleet()
    async with fleet.broadcast.watch(ADMIN):
        await settled()
        for _ in range(5):
            await fleet.tick()
        alone = fleet.looks
    async with asyncio.TaskGroup() as group:
        end = asyncio.Event()

        async def watch(principal: Principal) -> None:
            async with fleet.broadcast.watch(principal):
                await end.wait()

        for _ in range(300):
            group.create_task(watch(ADMIN))
        await settled()
        before = fleet.looks
        for _ in range(5):
            await fleet.tick()
        assert fleet.looks - before == alone - 1 == 5
        end.set()
    looked = fleet.looks
    await fleet.tick()
    await fleet.tick()
    assert fleet.looks == looked, "nobody watches, so nobody looks"


async def test_who_has_the_same_rights_is_sent_the_same_octets_and_tenants_see_only_their_own() -> None:
    fleet = Fleet()
    flow = Flow(7, "client_created", "shop", "orders", 0)
    fleet.next.append(look(2, flows=(flow,)))
    async with (
        fleet.broadcast.watch(ORDERS) as first,
        fleet.broadcast.watch(BILLING) as second,
        fleet.broadcast.watch(OTHER) as third,
    ):
        await settled()
        notices = [watcher.take() for watcher in (first, second, third)]
        assert notices[0] is notices[1] is notices[2]
        notice = notices[0]
        assert notice is not None
        assert notice.text(ORDERS) is notice.text(BILLING)
        assert b"orders" in notice.text(ORDERS)
        assert b"orders" not in notice.text(OTHER)
        assert b"change_in_another_realm" in notice.text(OTHER)
        assert b"orders" in notice.text(ADMIN)
        nobody = Principal("shop", "5", "nobody", frozenset({Role.CREATE_REALM}))
        assert b"orders" not in notice.text(nobody)
        assert b"orders" in notice.text(PERSON)


@pytest.mark.parametrize(
    ("touched", "doubted"),
    [
        (frozenset({"client:r:orders"}), {"orders"}),
        (frozenset({"realm:shop"}), {"orders", "billing"}),
        (frozenset({"realm:shop", "client:r:other"}), {"orders", "billing", "other"}),
        (frozenset({"client:r:my:orders", "realm:other"}), set()),
        (frozenset(), set()),
        (None, {"orders", "billing", "other", "admin"}),
    ],
)
async def test_an_event_that_touches_a_watcher_or_its_realm_raises_a_doubt(
    touched: frozenset[str] | None, doubted: set[str]
) -> None:
    fleet = Fleet()
    async with (
        fleet.broadcast.watch(ORDERS) as one,
        fleet.broadcast.watch(BILLING) as two,
        fleet.broadcast.watch(OTHER) as three,
        fleet.broadcast.watch(ADMIN) as four,
    ):
        await settled()
        watchers = (one, two, three, four)
        for watcher in watchers:
            assert watcher.stale, "asked once more after the first look, which may have come late"
            watcher.stale = False
        fleet.next.append(look(2, touched))
        await fleet.tick()
        assert {watcher.principal.client_id for watcher in watchers if watcher.stale} == doubted


async def test_failures_are_told_counted_and_met_with_longer_pauses() -> None:
    fleet = Fleet()
    fleet.next += [RedisUnavailableError("gone")] * 6 + [ValueError("a fault")]
    async with fleet.broadcast.watch(ADMIN) as watcher:
        await settled()
        notice = watcher.take()
        assert notice is not None
        assert notice.text(ADMIN) == b'{"error":"redis_unavailable"}'
        for _ in range(6):
            await fleet.tick()
        notice = watcher.take()
        assert notice is not None
        assert notice.text(ADMIN) == b'{"error":"internal_error"}'
        assert fleet.pauses[:4] == sorted(fleet.pauses[:4])
        assert fleet.pauses[-1] >= 10 * fleet.pauses[0]
        await fleet.tick()
        notice = watcher.take()
        assert notice is not None
        assert b'"head":1' in notice.text(ADMIN)
    counted = fleet.metrics.get_sample_value
    assert counted("keyturn_fleet_watch_failures_total", {"cause": "redis_unavailable"}) == 6
    assert counted("keyturn_fleet_watch_failures_total", {"cause": "internal_error"}) == 1


class Stream:
    """An event stream whose caller loses rights in the test."""

    def __init__(self, fleet: Fleet, principal: Principal) -> None:
        self.clock = SetClock()
        self.answer: Principal | Exception = principal
        self.asked = 0
        self._lines = fleet_lines(fleet.broadcast, principal, self._authorise, self.clock)
        self._next: asyncio.Task[bytes] | None = None

    async def _authorise(self) -> Principal:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def begin(self) -> None:
        assert await anext(self._lines) == b"retry: 1000\n\n"

    async def line(self) -> bytes | None:
        """Return the next line if there is one now; None if not. Raises StopAsyncIteration at the end."""
        if self._next is None:
            self._next = asyncio.create_task(cast("Any", anext(self._lines)))
        await settled()
        if not self._next.done():
            return None
        task, self._next = self._next, None
        return task.result()


@pytest.fixture
async def stream() -> AsyncIterator[tuple[Fleet, Stream]]:
    fleet = Fleet()
    begun = Stream(fleet, ORDERS)
    await begun.begin()
    assert await begun.line() == b'data: {"head":1,"nodes":[],"recent":[]}\n\n'
    assert begun.asked == 1
    yield fleet, begun
    if begun._next is not None:
        begun._next.cancel()
    await settled()


@pytest.mark.parametrize("refusal", [UnauthenticatedError("gone"), ForbiddenError("demoted")], ids=repr)
async def test_a_stream_ends_with_the_event_that_takes_its_callers_rights(
    stream: tuple[Fleet, Stream], refusal: Exception
) -> None:
    """Nothing that came with that event is sent any more."""
    fleet, watched = stream
    watched.clock.time += 2
    watched.answer = refusal
    fleet.next.append(look(2, frozenset({"client:r:orders"})))
    assert await watched.line() is None
    await fleet.tick()
    with pytest.raises(StopAsyncIteration):
        await watched.line()


async def test_a_stream_is_sent_nothing_while_nobody_can_tell_and_ends_within_a_minute(
    stream: tuple[Fleet, Stream],
) -> None:
    fleet, watched = stream
    watched.answer = StoreUnavailableError("the database is away")
    asked = watched.asked
    for number in range(2, 10):
        watched.clock.time += 5
        fleet.next.append(look(number, frozenset({"client:r:orders"})))
        assert await watched.line() is None
        await fleet.tick()
    assert watched.asked > asked + 4
    watched.answer = ORDERS
    watched.clock.time += 2
    fleet.next.append(look(10, frozenset({"client:r:orders"})))
    await fleet.tick()
    assert await watched.line() == b'data: {"head":10,"nodes":[],"recent":[]}\n\n'
    watched.answer = StoreUnavailableError("the database is away")
    watched.clock.time += AUTHORISED_SECONDS
    fleet.next.append(look(11))
    assert await watched.line() is None
    await fleet.tick()
    with pytest.raises(StopAsyncIteration):
        await watched.line()


async def test_without_any_event_the_caller_is_authenticated_anew_at_least_once_a_minute(
    stream: tuple[Fleet, Stream],
) -> None:
    """A sign-out or an expired token is not an event."""
    fleet, watched = stream
    watched.answer = UnauthenticatedError("signed out")
    watched.clock.time += AUTHORISED_SECONDS
    fleet.next.append(look(2))
    assert await watched.line() is None
    await fleet.tick()
    with pytest.raises(StopAsyncIteration):
        await watched.line()


async def test_a_stream_ends_after_its_time(stream: tuple[Fleet, Stream]) -> None:
    fleet, watched = stream
    assert await watched.line() is None
    watched.clock.time += STREAM_SECONDS
    fleet.next.append(look(2))
    await fleet.tick()
    with pytest.raises(StopAsyncIteration):
        for _ in range(2):
            await watched.line()
