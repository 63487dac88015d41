"""Admission control bounds what is at work, sheds what cannot be answered in time, and loses no place."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from keyturn_shared.runtime.admission import (
    CLIENTS_PART,
    LONGEST_WAIT,
    SHORTEST_WAIT,
    WAITING_FOR_EACH_PLACE,
    Admission,
    Lane,
    OverloadedError,
    Place,
    leave_place,
)
from tests.testkit.virtual_loop import VirtualLoop

PLACES: Final = 4
WAITING: Final = PLACES * WAITING_FOR_EACH_PLACE
ADMINISTRATORS, CLIENTS = Lane.ADMINISTRATORS, Lane.CLIENTS


class Service:
    """Requests at an admission in virtual time."""

    def __init__(self, places: int = PLACES) -> None:
        self.loop = VirtualLoop.create()
        self.registry = CollectorRegistry()
        self.admission = Admission(places, self.registry, self.loop.time)
        self.ended: list[tuple[str, float]] = []
        self.at_work = 0
        self.most_at_work = 0

    def send(
        self,
        name: str,
        lane: Lane = ADMINISTRATORS,
        *,
        seconds: float = 10.0,
        then: Callable[[Place], Awaitable[None]] | None = None,
    ) -> "asyncio.Task[None]":
        """Send a request that works for so long. Its end, or ``name!`` if it is shed, is noted."""

        async def request() -> None:
            try:
                place = await self.admission.admit(lane)
            except OverloadedError:
                self.ended.append((f"{name}!", round(self.loop.time(), 6)))
                return
            try:
                self.at_work += 1
                self.most_at_work = max(self.most_at_work, self.at_work)
                await asyncio.sleep(seconds)
                self.at_work -= 1
                if then is not None:
                    await then(place)
            except OverloadedError:
                name_of_end = f"{name}!"
            else:
                name_of_end = name
            finally:
                place.leave()
            self.ended.append((name_of_end, round(self.loop.time(), 6)))

        return self.loop.create_task(request())

    def metric(self, name: str, lane: Lane) -> float | None:
        return self.registry.get_sample_value(name, {"lane": lane.value})


def test_requests_beyond_the_limit_wait_and_go_on_in_their_order() -> None:
    service = Service()
    for number in range(PLACES + 2):
        service.send(str(number), seconds=0.5)
    service.loop.run(0.1)
    assert service.metric("keyturn_requests_at_work", ADMINISTRATORS) == PLACES
    assert service.metric("keyturn_requests_waiting", ADMINISTRATORS) == 2
    service.loop.run(2)
    assert service.ended == [*((str(number), 0.5) for number in range(PLACES)), ("4", 1.0), ("5", 1.0)]
    assert service.most_at_work == PLACES
    assert service.metric("keyturn_requests_at_work", ADMINISTRATORS) == 0


def test_a_request_that_finds_no_place_in_time_is_shed() -> None:
    service = Service()
    for number in range(PLACES + 1):
        service.send(str(number))
    service.loop.run(5)
    assert service.ended == [("4!", LONGEST_WAIT)]
    assert service.metric("keyturn_requests_shed_total", ADMINISTRATORS) == 1


def test_a_request_that_finds_the_queue_full_is_shed_at_once() -> None:
    service = Service()
    for number in range(PLACES + WAITING + 1):
        service.send(str(number))
    service.loop.run(0)
    assert service.ended == [(f"{PLACES + WAITING}!", 0.0)]


def test_waits_are_short_once_the_queue_does_not_empty() -> None:
    service = Service()
    for number in range(PLACES + 2):
        service.send(str(number), seconds=10.0)
    service.loop.run(0.9)
    service.send("late")
    service.loop.run(1.0)
    assert [name for name, _ in service.ended] == ["4!", "5!"]
    service.send("later")
    service.loop.run(3)
    assert service.ended[2:] == [("later!", 1.0 + SHORTEST_WAIT), ("late!", 0.9 + LONGEST_WAIT)]
    service.send("the queue was empty")
    service.loop.run(3 + LONGEST_WAIT)
    assert service.ended[4:] == [("the queue was empty!", 3 + LONGEST_WAIT)]


def test_clients_leave_places_to_administrators_who_go_first() -> None:
    service = Service(2 * CLIENTS_PART)
    for number in range(3):
        service.send(f"client {number}", CLIENTS, seconds=0.5)
    for number in range(2 * CLIENTS_PART - 2):
        service.send(f"administrator {number}", seconds=0.5)
    service.send("next administrator", seconds=0.1)
    service.loop.run(0.45)
    assert service.metric("keyturn_requests_at_work", CLIENTS) == 2
    assert service.metric("keyturn_requests_waiting", CLIENTS) == 1
    assert service.metric("keyturn_requests_at_work", ADMINISTRATORS) == 2 * CLIENTS_PART - 2
    service.loop.run(2)
    assert service.ended[-2:] == [("next administrator", 0.6), ("client 2", 1.0)]


def test_a_request_that_waits_for_something_else_leaves_its_place() -> None:
    service = Service()

    async def wait_for_the_fleet(_: Place) -> None:
        leave_place()
        leave_place()  # a second time changes nothing
        await asyncio.sleep(30)

    for number in range(PLACES):
        service.send(f"waiting {number}", seconds=0.5, then=wait_for_the_fleet)
    service.send("next", seconds=0.1)
    service.loop.run(1)
    assert service.ended == [("next", 0.6)]
    service.loop.run(40)
    assert service.metric("keyturn_requests_at_work", ADMINISTRATORS) == 0


def test_a_request_goes_on_before_those_that_have_not_begun() -> None:
    service = Service()

    async def wait_for_the_body(place: Place) -> None:
        place.leave()
        await asyncio.sleep(0.1)
        await place.resume()
        await place.resume()  # it has a place
        await asyncio.sleep(0.1)

    service.send("slow sender", seconds=0.1, then=wait_for_the_body)
    service.send("short", seconds=0.35)
    for name in ("long", "longer", "took its place"):
        service.send(name, seconds=3)
    service.send("next", seconds=0.1)
    service.loop.run(1)
    # A place is free at 0.35: the slow sender, back since 0.2, takes it before the one that waits since 0.
    assert service.ended == [("short", 0.35), ("slow sender", 0.45), ("next", 0.55)]


def test_a_request_that_goes_on_is_shed_when_no_place_is_free_in_time() -> None:
    service = Service()

    async def wait_for_the_body(place: Place) -> None:
        place.leave()
        await asyncio.sleep(0.1)
        await place.resume()

    service.send("slow sender", seconds=0.1, then=wait_for_the_body)
    for number in range(PLACES):
        service.send(str(number), seconds=30)
    service.loop.run(2)
    assert service.ended == [("slow sender!", 0.2 + LONGEST_WAIT)]


def test_leaving_without_a_place_changes_nothing() -> None:
    leave_place()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(Lane),
            st.floats(0, 3),
            st.floats(0, 2),
            st.none() | st.floats(0, 3),
            st.booleans(),
        ),
        max_size=40,
    )
)
def test_no_place_is_lost_or_made_whoever_gives_up(
    requests: list[tuple[Lane, float, float, float | None, bool]],
) -> None:
    """Each request: its lane, when it is sent, how long it works, when its caller gives up, and whether it
    leaves its place in between."""
    service = Service()

    async def leave_and_resume(place: Place) -> None:
        place.leave()
        await asyncio.sleep(0.3)
        await place.resume()

    def begin(lane: Lane, seconds: float, gives_up: float | None, leaves: bool) -> None:
        task = service.send("x", lane, seconds=seconds, then=leave_and_resume if leaves else None)
        if gives_up is not None:
            service.loop.call_later(gives_up, task.cancel)

    for lane, at, seconds, gives_up, leaves in requests:
        service.loop.call_later(at, begin, lane, seconds, gives_up, leaves)
    service.loop.run(30)
    for lane in Lane:
        assert service.metric("keyturn_requests_at_work", lane) == 0
        assert service.metric("keyturn_requests_waiting", lane) == 0
    for number in range(PLACES):
        service.send(f"after {number}", seconds=1)
    service.loop.run(31)
    assert [name for name, _ in service.ended[-PLACES:]] == [f"after {number}" for number in range(PLACES)]


@pytest.mark.parametrize("places", [1, 4, 64])
def test_clients_have_a_place_however_few_there_are(places: int) -> None:
    loop = VirtualLoop.create()
    admission = Admission(places, CollectorRegistry(), loop.time)
    task = loop.create_task(admission.admit(CLIENTS))
    loop.run(0)
    assert task.done()
