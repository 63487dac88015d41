"""Waits for the fleet, requested or not, and only for events of the current database."""

import asyncio
from collections.abc import Sequence

import pytest

from keyturn_credentials.errors import StoreUnavailableError
from keyturn_credentials.fleet.registry_poller import CoalescedRegistryReader
from keyturn_credentials.fleet.waiter import FleetWaiter
from keyturn_credentials.relay.event_log import FleetState, LoggedEvent
from keyturn_shared.clock import SystemClock
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.head import Head
from keyturn_shared.fleet.registry import UNACCOUNTED, UNKNOWN, FleetRegistry, NodeRecord, RegistryView
from keyturn_shared.position import Position
from tests.testkit.clocks import SetClock
from tests.testkit.waiting import in_time

NOW = 1_000_000


class Views(FleetRegistry):
    """Shows one view after the other; the last one forever."""

    def __init__(self, *views: RegistryView | None) -> None:
        self.left = list(views)
        self.looks = 0
        self.asked: set[int | None] = set()

    async def views(self, sequences: Sequence[int | None]) -> list[RegistryView]:
        self.looks += 1
        self.asked.update(sequences)
        view = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        if view is None:
            raise RedisUnavailableError("away")
        return [view for _ in sequences]


def view_of(applied: Sequence[int], *, waits_after: int = 0) -> RegistryView:
    fields = {"epoch": "1", "sequence": "5", "event_id": "five", "vouched": "run"}
    fields["waits_after"] = str(waits_after)
    head = Head.from_hash(fields, "run")
    nodes = tuple(
        NodeRecord(f"node-{number}", NOW + 5_000, NOW, 11_000, Position(1, sequence))
        for number, sequence in enumerate(applied)
    )
    return RegistryView(NOW, head, nodes, NOW - 10)


class Log:
    """The database: its event at sequence 5, and the newest epoch opened from it."""

    def __init__(self, *ids: str | None, epoch: int = 1) -> None:
        self.left = list(ids) or ["five"]
        self.epoch = epoch
        self.reads = 0
        self.asked_for: set[tuple[int, int]] = set()

    async def read(self, first: int, limit: int) -> list[LoggedEvent]:
        self.reads += 1
        self.asked_for.add((first, limit))
        await asyncio.sleep(0)  # yields, like a database
        event_id = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        return [] if event_id is None else [LoggedEvent(first, event_id, b"{}", ())]

    async def fleet_state(self) -> FleetState:
        if self.left == ["away"]:
            raise StoreUnavailableError("away")
        return FleetState(self.epoch)


def waiter_on(registry: Views, log: Log | None = None) -> FleetWaiter:
    async def at_once(seconds: float) -> None:
        pass

    return FleetWaiter(registry, log or Log(), SystemClock(), sleep=at_once)  # type: ignore[arg-type]  # two methods


async def test_it_waits_while_nodes_are_on_their_way() -> None:
    registry = Views(view_of([4, 5]), view_of([4, 5]), view_of([5, 5]))
    summary = await waiter_on(registry).wait_while_likely(5, 1.0)
    assert (summary.applied, summary.safe) == (2, True)


async def test_it_does_not_wait_for_a_redis_that_is_away() -> None:
    registry = Views(None)
    assert await waiter_on(registry).wait_while_likely(5, 30.0) == UNKNOWN
    assert registry.looks == 1


async def test_it_does_not_wait_for_leases_that_outlast_it() -> None:
    """After a failover certainty takes a whole lease; a caller that did not request a wait is not delayed by
    that."""
    registry = Views(view_of([5, 5], waits_after=NOW + 11_000))
    summary = await waiter_on(registry).wait_while_likely(5, 1.0)
    assert (summary.applied, summary.safe) == (2, False)
    assert registry.looks == 1


async def test_it_waits_for_leases_that_end_within_its_time() -> None:
    registry = Views(view_of([4, 5], waits_after=NOW + 30_000), view_of([5, 5]))
    assert (await waiter_on(registry).wait_while_likely(5, 30.0)).safe
    registry = Views(view_of([4, 5], waits_after=NOW + 30_001), view_of([5, 5]))
    assert not (await waiter_on(registry).wait_while_likely(5, 30.0)).safe


@pytest.mark.parametrize(
    ("waits_after", "paused"), [(0, 0.001), (NOW - 5_000, 0.001), (NOW + 5_000, 5.0), (NOW + 90_000, 60.0)]
)
async def test_nobody_looks_again_before_forgotten_leases_have_ended(waits_after: int, paused: float) -> None:
    """Until then no wait can succeed; but no pause outlasts the wait."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    registry = Views(view_of([4, 5], waits_after=waits_after), view_of([5, 5]))
    clock = SetClock()
    waiter = FleetWaiter(registry, Log(), clock, sleep=sleep)  # type: ignore[arg-type]  # two methods
    assert (await waiter.wait(5, 60.0)).safe
    assert pauses == [pytest.approx(paused)]


@pytest.mark.parametrize("waits_after", [0, NOW + 90_000])
async def test_a_wait_ends_as_after_its_time_when_the_process_is_about_to_end(waits_after: int) -> None:
    """Also while it sleeps until forgotten leases have ended."""
    ending, rests = asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        rests.set()
        if seconds > 1.0:
            await asyncio.Event().wait()
        await asyncio.sleep(0)

    registry = Views(view_of([4, 5], waits_after=waits_after))
    waiter = FleetWaiter(registry, Log(), SetClock(), ending=ending, sleep=sleep)  # type: ignore[arg-type]  # two methods
    waiting = asyncio.create_task(waiter.wait(5, 60.0))
    await in_time(rests.wait())
    assert not waiting.done()
    ending.set()
    assert not (await in_time(waiting)).safe


@pytest.mark.parametrize("log", [Log("another"), Log(None), Log(epoch=2), Log("away")])
async def test_nothing_is_safe_by_a_redis_that_is_not_of_this_database(log: Log) -> None:
    """After a restored backup, Redis shows lost events under the same numbers."""
    summary = await waiter_on(Views(view_of([5, 5])), log).wait(5, 0.01)
    assert UNACCOUNTED in summary.pending


async def test_it_is_safe_once_redis_and_the_database_agree_again() -> None:
    summary = await waiter_on(Views(view_of([5, 5])), Log("another", None, "five")).wait(5, 30.0)
    assert (summary.applied, summary.safe) == (2, True)


class HeldLog(Log):
    """Answers only when told to."""

    def __init__(self, *ids: str | None) -> None:
        super().__init__(*ids)
        self.asked: asyncio.Queue[None] = asyncio.Queue()
        self.answering = asyncio.Event()

    async def read(self, first: int, limit: int) -> list[LoggedEvent]:
        found = await super().read(first, limit)
        self.asked.put_nowait(None)
        await self.answering.wait()
        return found


class NewViews(Views):
    """Views whose head is a new object at each look."""

    async def views(self, sequences: Sequence[int | None]) -> list[RegistryView]:
        self.looks += 1
        return [view_of([5, 5])] * len(sequences)


async def test_all_who_wait_with_one_look_ask_the_database_once() -> None:
    registry, log = NewViews(None), Log("five")
    waiter = waiter_on(registry, log)
    summaries = await asyncio.gather(*(waiter.wait(sequence, 30.0) for sequence in (3, 4, 5, 5, 5)))
    assert all(summary.safe for summary in summaries)
    assert (registry.looks, log.reads) == (1, 1)


async def test_a_later_look_asks_the_database_again() -> None:
    """An earlier answer says nothing about a head read since: the database may have been restored."""
    registry, log = NewViews(None), Log("five", "another")
    waiter = waiter_on(registry, log)
    assert (await waiter.wait(5, 0.0)).safe
    assert not (await waiter.wait(5, 0.0)).safe
    assert (registry.looks, log.reads) == (2, 2)


async def test_a_look_that_ended_while_the_database_was_asked_is_not_answered_by_that() -> None:
    registry, log = NewViews(None), HeldLog("five", "another")
    waiter = waiter_on(registry, log)
    first = asyncio.create_task(waiter.wait(5, 0.0))
    await log.asked.get()
    second = asyncio.create_task(waiter.wait(5, 0.0))
    await log.asked.get()
    log.answering.set()
    assert (await first).safe
    assert not (await second).safe


async def test_who_gives_up_does_not_take_the_answer_from_the_others() -> None:
    registry, log = NewViews(None), HeldLog("five")
    waiter = waiter_on(registry, log)
    leaving, staying = (asyncio.create_task(waiter.wait(5, 30.0)) for _ in range(2))
    await log.asked.get()
    leaving.cancel()
    log.answering.set()
    assert (await staying).safe
    assert log.reads == 1


async def test_looks_rest_however_many_ask() -> None:
    """Callers with staggered pauses must not keep the process reading."""
    rests: list[float] = []

    class Slow(NewViews):
        async def views(self, sequences: Sequence[int | None]) -> list[RegistryView]:
            clock.seconds += 0.001
            return await super().views(sequences)

    class Standing(SystemClock):
        seconds = 0.0

        def elapsed(self) -> float:
            return self.seconds

    clock = Standing()

    async def sleep(seconds: float) -> None:
        rests.append(round(seconds, 6))
        clock.seconds += seconds

    looks = CoalescedRegistryReader(Slow(None), clock, sleep=sleep)
    for _ in range(3):
        await looks.view(5)
    assert rests == [0.003, 0.003]


class Pauses:
    """Records pauses; advances a clock if given, and stops at some time."""

    def __init__(self, clock: SetClock | None = None, *, most: int = 100) -> None:
        self.taken: list[float] = []
        self._clock = clock
        self._most = most

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        assert len(self.taken) <= self._most, "it looks for ever"
        if self._clock is not None:
            self._clock.time += seconds


def waiter_with(registry: Views, clock: SetClock, pauses: Pauses, log: Log | None = None) -> FleetWaiter:
    return FleetWaiter(registry, log or Log(), clock, sleep=pauses)  # type: ignore[arg-type]  # two methods


@pytest.mark.parametrize("likely", [False, True])
async def test_it_looks_for_the_event_that_it_was_asked_about(likely: bool) -> None:
    registry, log = Views(view_of([5, 5])), Log()
    waiter = waiter_on(registry, log)
    summary = await (waiter.wait_while_likely(3, 1.0) if likely else waiter.wait(3, 1.0))
    assert summary.safe
    assert registry.asked == {3}
    assert log.asked_for == {(5, 1)}, "the head's event"


async def test_it_looks_less_and_less_often_and_no_longer_than_asked() -> None:
    clock = SetClock()
    pauses = Pauses(clock)
    view, summary = await waiter_with(Views(view_of([4, 5])), clock, pauses).watch(5, 1.0)
    assert view == view_of([4, 5])
    assert not summary.safe
    assert pauses.taken[:3] == pytest.approx([0.001, 0.00125, 0.0015625])
    assert max(pauses.taken) == pytest.approx(0.1)
    assert sum(pauses.taken) == pytest.approx(1.0)


async def test_who_has_no_time_gets_one_look() -> None:
    registry = Views(view_of([4, 5]))
    _, summary = await waiter_with(registry, SetClock(), Pauses(most=0)).watch(5, 0.0)
    assert summary.pending == ("node-0",)
    assert registry.looks == 1


async def test_while_redis_is_away_nothing_is_known_and_it_looks_ten_times_a_second() -> None:
    clock = SetClock()
    pauses = Pauses(clock)
    assert await waiter_with(Views(None), clock, pauses).watch(5, 0.45) == (None, UNKNOWN)
    assert pauses.taken == pytest.approx([0.1, 0.1, 0.1, 0.1, 0.05])
    found = await waiter_with(Views(None, view_of([5, 5])), clock, Pauses(clock)).wait(5, 0.5)
    assert found.safe


async def test_who_did_not_ask_to_wait_is_not_held_up_by_a_redis_that_says_nothing() -> None:
    class Silent(Views):
        async def views(self, sequences: Sequence[int | None]) -> list[RegistryView]:
            await asyncio.Event().wait()
            return []

    assert await waiter_on(Silent()).wait_while_likely(5, 0.0) == UNKNOWN


async def test_its_looks_rest_by_the_same_pauses() -> None:
    clock = SetClock()

    class Slow(NewViews):
        async def views(self, sequences: Sequence[int | None]) -> list[RegistryView]:
            clock.time += 0.001
            return await super().views(sequences)

    pauses = Pauses(clock)
    waiter = waiter_with(Slow(None), clock, pauses)
    for _ in range(2):
        assert (await waiter.wait(5, 1.0)).safe
    assert pauses.taken == pytest.approx([0.003])
