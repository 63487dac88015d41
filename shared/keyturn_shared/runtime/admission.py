"""Admission control: a limit on the requests at work, and a short queue for the others.

A service that accepts everything works, once overloaded, for callers who have given up. The longest wait in
the queue shrinks while the queue does not empty (controlled delay, as in RFC 8289): then it holds no burst
that passes, but more than the service can do.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from enum import Enum
from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from keyturn_shared.errors import KeyturnError

LONGEST_WAIT: Final = 1.0
"""Seconds that a request waits in a queue that empties again."""
SHORTEST_WAIT: Final = 0.1
"""Seconds that a request waits in a queue that has not been empty for ``STANDING_SECONDS``."""
STANDING_SECONDS: Final = 1.0
WAITING_FOR_EACH_PLACE: Final = 8
"""Maximum number of requests that wait in a lane, for each place."""
CLIENTS_PART: Final = 8
"""Clients have one place in so many, which keeps a processor busy. Everything else has its turn on the event
loop after all of them: with more, the very rotations that they ask about would hardly move."""

_current: ContextVar["Place | None"] = ContextVar("admission_place", default=None)


class OverloadedError(KeyturnError):
    """The service has more requests than it can answer. Nothing was changed."""

    code = "overloaded"


class Lane(Enum):
    """Kinds of requests, the most urgent first. Clients take a part of the places only, so that whoever
    revokes a credential gets through however many clients ask for theirs."""

    ADMINISTRATORS = "administrators"
    CLIENTS = "clients"


class _Queue:
    """The requests of one lane. ``standing_since``: the time of a monotonic clock when it was last empty."""

    def __init__(self, places: int) -> None:
        self.places = places
        self.most_waiting = places * WAITING_FOR_EACH_PLACE
        self.at_work = 0
        self.waiting: deque[asyncio.Future[None]] = deque()
        self.standing_since: float | None = None


def _at_work(queue: _Queue) -> float:
    return queue.at_work


def _waiting(queue: _Queue) -> float:
    return len(queue.waiting)


class Admission:
    """``places``: the largest number of requests at work. ``elapsed``: a monotonic clock in seconds."""

    def __init__(self, places: int, registry: CollectorRegistry, elapsed: Callable[[], float]) -> None:
        self._free = places
        self._elapsed = elapsed
        self._queues = {
            Lane.ADMINISTRATORS: _Queue(places),
            Lane.CLIENTS: _Queue(max(1, places // CLIENTS_PART)),
        }
        at_work = Gauge("keyturn_requests_at_work", "Requests at work, by lane", ["lane"], registry=registry)
        waiting = Gauge(
            "keyturn_requests_waiting", "Requests that wait for a place, by lane", ["lane"], registry=registry
        )
        shed = Counter(
            "keyturn_requests_shed",
            "Requests answered with 503 because no place was free in time, by lane",
            ["lane"],
            registry=registry,
        )
        self._shed = {lane: shed.labels(lane.value) for lane in Lane}
        for lane, queue in self._queues.items():
            at_work.labels(lane.value).set_function(partial(_at_work, queue))
            waiting.labels(lane.value).set_function(partial(_waiting, queue))

    async def admit(self, lane: Lane) -> "Place":
        """Take a place, and make it the one that ``leave_place`` leaves. Raises OverloadedError."""
        await self.take(lane, first=False)
        place = Place(self, lane)
        _current.set(place)
        return place

    async def take(self, lane: Lane, *, first: bool) -> None:
        """Take a place; ``first``: before those that already wait. Raises OverloadedError."""
        queue = self._queues[lane]
        if self._free > 0 and queue.at_work < queue.places and (first or not queue.waiting):
            self._free -= 1
            queue.at_work += 1
            return
        if len(queue.waiting) >= queue.most_waiting:
            raise self._overloaded(lane)
        await self._wait(lane, queue, first=first)

    def give_back(self, lane: Lane) -> None:
        """Give a place back, to the next request that waits."""
        self._free += 1
        self._queues[lane].at_work -= 1
        for queue in self._queues.values():
            while self._free > 0 and queue.waiting and queue.at_work < queue.places:
                self._free -= 1
                queue.at_work += 1
                self._remove(queue, queue.waiting[0])

    async def _wait(self, lane: Lane, queue: _Queue, *, first: bool) -> None:
        now = self._elapsed()
        if queue.standing_since is None:
            queue.standing_since = now
        is_standing = now - queue.standing_since >= STANDING_SECONDS
        turn = asyncio.get_running_loop().create_future()
        (queue.waiting.appendleft if first else queue.waiting.append)(turn)
        try:
            async with asyncio.timeout(SHORTEST_WAIT if is_standing else LONGEST_WAIT):
                await turn
        except BaseException as error:
            if turn in queue.waiting:
                self._remove(queue, turn)
            else:  # it got its turn in the moment in which it gave up
                self.give_back(lane)
            if isinstance(error, TimeoutError):
                raise self._overloaded(lane) from None
            raise

    def _remove(self, queue: _Queue, turn: "asyncio.Future[None]") -> None:
        queue.waiting.remove(turn)
        if not turn.done():
            turn.set_result(None)
        if not queue.waiting:
            queue.standing_since = None

    def _overloaded(self, lane: Lane) -> OverloadedError:
        self._shed[lane].inc()
        return OverloadedError("the service is overloaded; try again later")


class Place:
    """A request's place. It may be left and taken again."""

    def __init__(self, admission: Admission, lane: Lane) -> None:
        self._admission = admission
        self._lane = lane
        self._taken = True

    def leave(self) -> None:
        """Give the place back, if it is taken."""
        if self._taken:
            self._taken = False
            self._admission.give_back(self._lane)

    async def resume(self) -> None:
        """Take a place again, before requests that have not begun. Raises OverloadedError."""
        if not self._taken:
            await self._admission.take(self._lane, first=True)
            self._taken = True


def leave_place() -> None:
    """Leave this request's place for good: from here on it waits for something else, such as the fleet or
    another server, which a limit of its own must bound."""
    place = _current.get()
    if place is not None:
        place.leave()
