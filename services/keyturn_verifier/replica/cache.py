"""Read-through cache of states: concurrent loads are merged, and events invalidate entries and loads."""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

import structlog

from keyturn_shared.errors import KeyturnError, RedisUnavailableError
from keyturn_shared.fleet.reading import Loaded, ProjectionReader
from keyturn_shared.oauth.entities import AbsentState, State, StateReader
from keyturn_shared.oauth.errors import UnavailableError, UnsettledError
from keyturn_shared.position import Position
from keyturn_shared.runtime.single_flight import Flight, OvertakenError, SingleFlight
from keyturn_shared.signed_log.errors import ForgedError
from keyturn_verifier.metrics import NodeMetrics

_LOAD_ATTEMPTS: Final = 5
_ABSENT_SHARE: Final = 10

Verified = Callable[[str, bytes], bytes]

_log = structlog.get_logger(__name__)


class StateCache:
    """The ``capacity`` most recently used states by projection field, and a tenth as many absent ones.

    A state that leaves the cache for any reason is marked superseded: no event would reach it any more, so
    whatever still holds it must read it again. ``verified``: returns a field's value after its signature was
    checked, or raises ForgedError.
    """

    def __init__(
        self,
        reader: ProjectionReader,
        verified: Verified,
        states: StateReader,
        position: Callable[[], Position],
        metrics: NodeMetrics,
        *,
        capacity: int,
    ) -> None:
        self._reader = reader
        self._verified = verified
        self._read_state = states.read
        self._position = position
        self._metrics = metrics
        self._present: OrderedDict[str, State] = OrderedDict()
        self._absent: OrderedDict[str, State] = OrderedDict()
        self._capacity = capacity
        self._absent_capacity = max(1, capacity // _ABSENT_SHARE)
        self._loads: SingleFlight[str, State] = SingleFlight(attempts=_LOAD_ATTEMPTS)

    def __len__(self) -> int:
        return len(self._present)

    def cached(self, field: str) -> State | None:
        """Return the state if it is cached."""
        state = self._present.get(field)
        if state is not None:
            self._present.move_to_end(field)
            return state
        return self._absent.get(field)

    async def get(self, field: str) -> State:
        """Return the state from memory, or else from Redis, with one read for concurrent callers. Raises
        UnavailableError or UnsettledError when there is no certain answer, and RedisUnavailableError."""
        state = self.cached(field)
        if state is not None:
            return state
        try:
            return await self._loads.run(field, partial(self._load, field))
        except OvertakenError:
            raise UnsettledError(f"{field} changes faster than it can be read") from None

    async def read_and_discard(self, field: str) -> None:
        """Spend the time of loading a state that is not cached, and discard the result."""
        with contextlib.suppress(KeyturnError):
            await asyncio.shield(asyncio.create_task(self._reader.load(field, self._position())))

    def forget(self, fields: Iterable[str]) -> None:
        """Drop these states, and discard loads of them in progress."""
        for field in fields:
            state = self._present.pop(field, None) or self._absent.pop(field, None)
            if state is not None:
                state.superseded = True
            self._loads.invalidate(field)

    def forget_all(self) -> None:
        """Drop everything."""
        self._metrics.jumps.inc()
        for states in (self._present, self._absent):
            for state in states.values():
                state.superseded = True
            states.clear()
        self._loads.invalidate_all()

    async def _load(self, field: str, flight: Flight) -> State:
        read = await self._reader.load(field, self._position())
        self._metrics.loads.labels(read.outcome.value).inc()
        if not read.outcome.conclusive:
            raise RedisUnavailableError(f"{field}: {read.outcome.value}")
        flight.require_current()
        state = self._make(field, read.outcome, read.value)
        self._keep(field, state)
        return state

    def _make(self, field: str, outcome: Loaded, value: bytes) -> State:
        try:
            if outcome is Loaded.FOUND:
                value = self._verified(field, value)
            return self._read_state(field, outcome, value)
        except ForgedError:
            raise
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
