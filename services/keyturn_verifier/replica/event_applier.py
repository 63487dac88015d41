"""Applies events in order, whatever brings them. Pure of I/O and idempotent."""

from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from keyturn_shared.events import decode_event
from keyturn_shared.position import BEGINNING, Position
from keyturn_shared.signed_log.errors import ForgedError

Moved = Callable[[Position], None]


class Invalidatable(Protocol):
    """A cache whose entries events invalidate."""

    def forget(self, fields: Iterable[str]) -> None:
        """Drop these projections: no earlier read of them may be used from now on."""
        ...

    def forget_all(self) -> None:
        """Drop everything: any projection may have changed."""
        ...


class SignedLog(Protocol):
    """The check of which events are genuine."""

    def event(self, at: Position, payload: bytes) -> bytes:
        """Return the event signed for this position. Raises ForgedError."""
        ...

    def applied(self, sequence: int, event_id: str, fields: Iterable[str]) -> None:
        """Note that this event, which changed these projections, was applied."""
        ...


class EventApplier:
    """This node's place in the event log.

    Events come from the subscription and from catching up, in any interleaving. An event at or below the
    position is ignored, the very next one is applied, and any other (a gap, a new epoch) makes the node drop
    everything and continue from there. ``moved`` is called with each new position, after states were dropped.

    An entry that the log's key did not sign for its position is ignored: the position stays before it, no
    lease that needs more takes effect, and waits count the node as pending. If genuine events follow, it is a
    gap.
    """

    def __init__(self, states: Invalidatable, log: SignedLog, moved: Moved) -> None:
        self._states = states
        self._log = log
        self._moved = moved
        self._position = BEGINNING
        self.applied = 0
        self.jumps = 0

    @property
    def position(self) -> Position:
        return self._position

    def apply(self, at: Position, payload: bytes) -> None:
        """Apply the event of a stream entry."""
        if at <= self._position:
            return
        try:
            event = self._log.event(at, payload)
        except ForgedError:
            return
        if not at.follows(self._position):
            self._jump(at)
            return
        try:
            known = decode_event(event)
        except msgspec.MsgspecError:
            # The event cannot be decoded, so anything may have changed.
            self._jump(at)
            return
        self._log.applied(at.sequence, known.id, known.touches)
        self._states.forget(known.touches)
        self._move(at)

    def observe(self, head: Position) -> None:
        """Note the head of a trusted Redis. In a newer epoch there is nothing to catch up with."""
        if head.epoch > self._position.epoch:
            self._jump(head)

    def _jump(self, to: Position) -> None:
        self._states.forget_all()
        self.jumps += 1
        self._move(to)

    def _move(self, to: Position) -> None:
        self._position = to
        self.applied += 1
        self._moved(to)
