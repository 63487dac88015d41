"""The lease: how long this node may answer without hearing from the fleet. Pure: the clock is an argument."""

from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from keyturn_shared.fleet.membership import Renewal, Standing
from keyturn_shared.position import BEGINNING, Position

_MAX_PENDING: Final = 64
_OVER: Final = float("-inf")


class LeaseState(StrEnum):
    """May this node answer? STALE: only because its operator chose availability."""

    HELD = "held"
    STALE = "stale"
    FENCED = "fenced"


class Lease:
    """Judges renewals.

    A renewal counts from the moment before it was sent, and only once everything up to the head it returned
    is applied; until then it waits here. ``elapsed`` is asked anew at every judgement and must run on while
    the process is stopped, so that a process that wakes from a freeze finds its lease over.
    """

    def __init__(
        self,
        elapsed: Callable[[], float],
        *,
        max_staleness: float | None = None,
        serve_stale: bool = False,
    ) -> None:
        self._elapsed = elapsed
        self._max_staleness = max_staleness
        self._without = LeaseState.STALE if serve_stale else LeaseState.FENCED
        self._until = _OVER
        self._applied = BEGINNING
        self._pending: deque[tuple[Position, float]] = deque()

    @property
    def state(self) -> LeaseState:
        """Judged now, by the clock as it is now."""
        return LeaseState.HELD if self._elapsed() < self._until else self._without

    @property
    def left(self) -> float:
        """Seconds left; 0 without a lease."""
        return max(0.0, self._until - self._elapsed())

    def advance(self, applied: Position) -> None:
        """The node has applied everything up to here. Renewals that waited for it count from now on; those
        of another epoch never will."""
        if applied.epoch != self._applied.epoch:
            self.void()
        self._applied = applied
        while self._pending and self._pending[0][0] <= applied:
            self._until = max(self._until, self._pending.popleft()[1])

    def note(self, renewal: Renewal, *, asked_at: float, reported: Position) -> None:
        """Take an answer to a renewal that reported a position, sent after ``asked_at`` (elapsed seconds)."""
        head = renewal.head
        if renewal.standing is not Standing.RENEWED or head is None:
            return
        if head < reported:
            # Redis shows an older state than the one this node has applied: whatever it says is void.
            self.void()
            return
        if head.epoch != self._applied.epoch:
            return
        until = asked_at + self._term(renewal)
        if head <= self._applied:
            self._until = max(self._until, until)
        elif len(self._pending) < _MAX_PENDING:
            # When it is full the new one is let go: dropping the oldest could starve a node that lags.
            self._pending.append((head, until))

    def void(self) -> None:
        """Forget the lease and everything that might have become one."""
        self._until = _OVER
        self._pending.clear()

    def _term(self, renewal: Renewal) -> float:
        if self._max_staleness is None:
            return renewal.lease_seconds
        return min(renewal.lease_seconds, self._max_staleness - renewal.stamp_age)
