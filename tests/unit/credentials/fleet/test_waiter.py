"""Waiting for the fleet: asked to or not, and only for events of the database as it is."""

import asyncio
from collections.abc import Sequence

import pytest

from keyturn_credentials.errors import StoreUnavailableError
from keyturn_credentials.fleet.looks import SharedLooks
from keyturn_credentials.fleet.waiter import UNKNOWN, FleetWaiter
from keyturn_credentials.relay.event_log import FleetState, LoggedEvent
from keyturn_shared.clock import SystemClock
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.head import Head
from keyturn_shared.fleet.registry import UNACCOUNTED, FleetRegistry, NodeRecord, RegistryView
from keyturn_shared.position import Position

NOW = 1_000_000


class Views(FleetRegistry):
    """Shows one view after the other; the last one for ever."""

    def __init__(self, *views: RegistryView | None) -> None:
        self.left = list(views)
        self.looks = 0

    async def views(self, sequences: Sequence[int | None]) -> list[RegistryView]:
        self.looks += 1
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
    """The database: what it has at sequence 5, and the newest epoch opened from it."""

    def __init__(self, *ids: str | None, epoch: int = 1) -> None:
        self.left = list(ids) or ["five"]
        self.epoch = epoch
        self.reads = 0

    async def read(self, first: int, limit: int) -> list[LoggedEvent]:
        self.reads += 1
        await asyncio.sleep(0)  # as a database, which takes its time
        event_id = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        return [] if event_id is None else [LoggedEvent(first, event_id, b"{}", ())]

    async def fleet_state(self) -> FleetState:
        if self.left == ["away"]:
            raise StoreUnavailableError("away")
        return FleetState(self.epoch)


def waiter_on(registry: Views, log: Log | None = None) -> FleetWaiter:
    async def at_once(seconds: float) -> None:
        pass

    return FleetWaiter(registry, log or Log(), SystemClock(), sleep=at_once)  # type: ignore[arg-type] # two methods


async def test_it_waits_while_nodes_are_on_their_way() -> None:
    registry = Views(view_of([4, 5]), view_of([4, 5]), view_of([5, 5]))
    summary = await waiter_on(registry).wait_while_likely(5, 1.0)
    assert (summary.applied, summary.safe) == (2, True)


async def test_it_does_not_wait_for_a_redis_that_is_away() -> None:
    registry = Views(None)
    assert await waiter_on(registry).wait_while_likely(5, 30.0) == UNKNOWN
    assert registry.looks == 1


async def test_it_does_not_wait_for_leases_that_outlast_it() -> None:
    """After a fail-over nobody can be sure for a whole lease; who did not ask is not held up for that."""
    registry = Views(view_of([5, 5], waits_after=NOW + 11_000))
    summary = await waiter_on(registry).wait_while_likely(5, 1.0)
    assert (summary.applied, summary.safe) == (2, False)
    assert registry.looks == 1


@pytest.mark.parametrize("log", [Log("another"), Log(None), Log(epoch=2), Log("away")])
async def test_nothing_is_safe_by_a_redis_that_is_not_of_this_database(log: Log) -> None:
    """After a backup was restored, Redis shows events under the same numbers that are lost."""
    summary = await waiter_on(Views(view_of([5, 5])), log).wait(5, 0.01)
    assert UNACCOUNTED in summary.pending


async def test_it_is_safe_once_redis_and_the_database_agree_again() -> None:
    summary = await waiter_on(Views(view_of([5, 5])), Log("another", None, "five")).wait(5, 30.0)
    assert (summary.applied, summary.safe) == (2, True)


class HeldLog(Log):
    """Answers only when it is told to."""

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
    """As Views, with a head read anew by each look."""

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
    """An earlier answer says nothing of a head read since: the database may have been set back."""
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
    """Callers whose pauses end at all times must not keep the process looking."""
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

    looks = SharedLooks(Slow(None), clock, sleep=sleep)
    for _ in range(3):
        await looks.view(5)
    assert rests == [0.003, 0.003]
