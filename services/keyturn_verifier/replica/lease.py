"""The lease: how long this node may answer without hearing from the fleet. Pure: the clock is an argument."""

from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from keyturn_shared.fleet.membership import MembershipStatus, Renewal
from keyturn_shared.position import BEGINNING, Position

_MAX_PENDING: Final = 64
_OVER: Final = float("-inf")


class LeaseState(StrEnum):
    """Permission to answer. STALE: only because the operator chose availability."""

    HELD = "held"
    STALE = "stale"
    FENCED = "fenced"


class Lease:
    """Decides how long this node may answer.

    A renewal counts from the moment before it was sent, and only once everything up to the head it returned
    is applied; until then it is pending. ``elapsed`` is called for every decision and must keep running while
    the process is stopped, so that a process that wakes from a freeze finds its lease expired.
    """

    def __init__(
        self,
        elapsed: Callable[[], float],
        *,
        longest_seconds: float = float("inf"),
        max_staleness: float | None = None,
        serve_stale: bool = False,
    ) -> None:
        """``longest_seconds``: limit on the term in a renewal, which anyone with write access to Redis can
        set."""
        self._elapsed = elapsed
        self._longest_seconds = longest_seconds
        self._max_staleness = max_staleness
        self._without = LeaseState.STALE if serve_stale else LeaseState.FENCED
        self._until = _OVER
        self._applied = BEGINNING
        self._pending: deque[tuple[Position, float]] = deque()

    @property
    def state(self) -> LeaseState:
        """The state at this moment."""
        return LeaseState.HELD if self._elapsed() < self._until else self._without

    @property
    def left(self) -> float:
        """Seconds left; 0 without a lease."""
        return max(0.0, self._until - self._elapsed())

    def advance(self, applied: Position) -> None:
        """Note that the node has applied everything up to here. Pending renewals up to here take effect;
        those of another epoch never do."""
        if applied.epoch != self._applied.epoch:
            self.void()
        self._applied = applied
        while self._pending and self._pending[0][0] <= applied:
            self._until = max(self._until, self._pending.popleft()[1])

    def note(self, renewal: Renewal, *, asked_at: float, reported: Position) -> None:
        """Take the answer to a renewal that reported a position and was sent after ``asked_at`` (elapsed
        seconds)."""
        head = renewal.head
        if renewal.status is not MembershipStatus.RENEWED or head is None:
            return
        if head < reported:
            # Redis is behind what this node has applied, so its answers are void.
            self.void()
            return
        if head.epoch != self._applied.epoch:
            return
        if self._max_staleness is not None:
            # Withheld events cannot make the log look shorter than it was when the relay last looked.
            head = max(head, Position(head.epoch, renewal.stated_sequence))
        until = asked_at + self._term(renewal)
        if head <= self._applied:
            self._until = max(self._until, until)
        elif len(self._pending) < _MAX_PENDING:
            # When it is full, drop the new one: dropping the oldest could starve a node that lags.
            self._pending.append((head, until))

    def void(self) -> None:
        """Drop the lease and all pending renewals."""
        self._until = _OVER
        self._pending.clear()

    def _term(self, renewal: Renewal) -> float:
        term = min(renewal.lease_seconds, self._longest_seconds)
        if self._max_staleness is None:
            return term
        return min(term, self._max_staleness - renewal.stamp_age)
