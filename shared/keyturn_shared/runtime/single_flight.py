"""Single-flight execution: concurrent callers for one key share one execution."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class OvertakenError(Exception):
    """The key was invalidated while its value was read, at every attempt."""


class Flight:
    """One execution. ``overtaken``: its key was invalidated since the current attempt began."""

    __slots__ = ("overtaken",)

    def __init__(self) -> None:
        self.overtaken = False

    def require_current(self) -> None:
        """Raise OvertakenError if the value may be out of date. Call it right before storing the value."""
        if self.overtaken:
            raise OvertakenError


class SingleFlight(Generic[K, V]):
    """Runs one execution at a time per key; concurrent callers share its result or its error.

    An execution overtaken by an invalidation is repeated, with ``attempts`` in all. It continues even if all
    callers are cancelled: it has its own time limits, and the next caller needs the result too.
    """

    def __init__(self, *, attempts: int = 1) -> None:
        self._attempts = attempts
        self._flights: dict[K, tuple[Flight, asyncio.Task[V]]] = {}

    async def run(self, key: K, work: Callable[[Flight], Awaitable[V]]) -> V:
        """Return the result of the current execution, or else of ``work``. Raises its errors, and
        OvertakenError if the last attempt was overtaken too."""
        under_way = self._flights.get(key)
        if under_way is None or under_way[1].done():  # one that has ended may have been invalidated since
            flight = Flight()
            task = asyncio.create_task(self._fly(flight, work))
            self._flights[key] = under_way = (flight, task)
            task.add_done_callback(lambda task: self._finish(key, task))
        return await asyncio.shield(under_way[1])

    def invalidate(self, key: K) -> None:
        """Invalidate earlier reads of this key."""
        if (under_way := self._flights.get(key)) is not None:
            under_way[0].overtaken = True

    def invalidate_all(self) -> None:
        for flight, _ in self._flights.values():
            flight.overtaken = True

    async def _fly(self, flight: Flight, work: Callable[[Flight], Awaitable[V]]) -> V:
        for _ in range(self._attempts):
            flight.overtaken = False
            try:
                value = await work(flight)
                flight.require_current()
            except OvertakenError:
                continue
            return value
        raise OvertakenError

    def _finish(self, key: K, task: asyncio.Task[V]) -> None:
        if self._flights[key][1] is task:
            del self._flights[key]
        if not task.cancelled():
            task.exception()  # mark the error as retrieved, in case no caller is left
