"""The states a node keeps: loaded once for all who ask, dropped by events, never refilled with old ones."""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import structlog

from keyturn_shared.errors import KeyturnError
from keyturn_shared.fleet.reading import Loaded, ProjectionReader
from keyturn_shared.position import Position
from keyturn_verifier.errors import UnavailableError
from keyturn_verifier.metrics import NodeMetrics
from keyturn_verifier.node.states import AbsentState, State, StateReader

_LOAD_ATTEMPTS: Final = 5
_ABSENT_SHARE: Final = 10

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Flight:
    """A load under way. ``overtaken``: what it reads may be older than what was forgotten meanwhile."""

    task: asyncio.Task[State]
    overtaken: bool = False


class StateCache:
    """The ``capacity`` states used last, by projection field, and a tenth as many absent ones.

    A state that leaves the cache, for whatever reason, is marked superseded: no event would find it any more,
    so whoever still holds it has to look again.
    """

    def __init__(
        self,
        reader: ProjectionReader,
        states: StateReader,
        position: Callable[[], Position],
        metrics: NodeMetrics,
        *,
        capacity: int,
    ) -> None:
        self._reader = reader
        self._read_state = states.read
        self._position = position
        self._metrics = metrics
        self._present: OrderedDict[str, State] = OrderedDict()
        self._absent: OrderedDict[str, State] = OrderedDict()
        self._capacity = capacity
        self._absent_capacity = max(1, capacity // _ABSENT_SHARE)
        self._flights: dict[str, _Flight] = {}

    def __len__(self) -> int:
        return len(self._present)

    def cached(self, field: str) -> State | None:
        """The state in memory, if there is one."""
        state = self._present.get(field)
        if state is not None:
            self._present.move_to_end(field)
            return state
        return self._absent.get(field)

    async def get(self, field: str) -> State:
        """The state from memory, else from Redis, in one read for all who ask at the same time.

        Raises UnavailableError when Redis cannot say for certain, and RedisUnavailableError.
        """
        state = self.cached(field)
        if state is not None:
            return state
        flight = self._flights.get(field)
        if flight is None:
            flight = _Flight(asyncio.create_task(self._load(field)))
            self._flights[field] = flight
            flight.task.add_done_callback(lambda task: self._landed(field, task))
        # Shielded: one caller who goes away must not end the load for the others.
        return await asyncio.shield(flight.task)

    async def read_in_vain(self, field: str) -> None:
        """Take the time that a state takes which is not in memory."""
        with contextlib.suppress(KeyturnError):
            await asyncio.shield(asyncio.create_task(self._reader.load(field, self._position())))

    def forget(self, fields: Iterable[str]) -> None:
        """Drop these states, and see to it that loads under way do not bring them back."""
        for field in fields:
            state = self._present.pop(field, None) or self._absent.pop(field, None)
            if state is not None:
                state.superseded = True
            flight = self._flights.get(field)
            if flight is not None:
                flight.overtaken = True

    def forget_all(self) -> None:
        """Drop everything."""
        self._metrics.jumps.inc()
        for states in (self._present, self._absent):
            for state in states.values():
                state.superseded = True
            states.clear()
        for flight in self._flights.values():
            flight.overtaken = True

    async def _load(self, field: str) -> State:
        for _ in range(_LOAD_ATTEMPTS):
            # There when the task first runs: get() registers the flight before it lets the loop go on.
            flight = self._flights[field]
            flight.overtaken = False
            read = await self._reader.load(field, self._position())
            self._metrics.loads.labels(read.outcome.value).inc()
            if not read.outcome.conclusive:
                raise UnavailableError(f"{field}: {read.outcome.value}")
            if not flight.overtaken:
                state = self._make(field, read.outcome, read.value)
                self._keep(field, state)
                return state
        raise UnavailableError(f"{field} changes faster than it can be read")

    def _make(self, field: str, outcome: Loaded, value: bytes) -> State:
        try:
            return self._read_state(field, outcome, value)
        except KeyturnError as error:
            _log.error("projection_unusable", field=field, code=error.code, detail=error.detail)
            raise UnavailableError(f"{field}: {error.code}") from error

    def _keep(self, field: str, state: State) -> None:
        states, capacity = (
            (self._absent, self._absent_capacity)
            if isinstance(state, AbsentState)
            else (self._present, self._capacity)
        )
        states[field] = state
        if len(states) > capacity:
            states.popitem(last=False)[1].superseded = True

    def _landed(self, field: str, task: asyncio.Task[State]) -> None:
        del self._flights[field]
        if not task.cancelled():
            task.exception()  # taken note of, in case nobody waits for it any more
