"""The follower: applies events in order, whoever brings them. Pure of I/O and idempotent."""

from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from keyturn_shared.events import decode_event
from keyturn_shared.position import BEGINNING, Position

Moved = Callable[[Position], None]


class Forgetful(Protocol):
    """What keeps states that events make old."""

    def forget(self, fields: Iterable[str]) -> None:
        """These projections changed: nothing read of them before may be used from now on."""
        ...

    def forget_all(self) -> None:
        """Any projection may have changed."""
        ...


class Follower:
    """Where this node stands in the event log.

    Events come from the subscription and from catching up, in any interleaving: one at or below the position
    is ignored, the very next one is applied, and any other (a gap, a new epoch) makes the node forget
    everything and go on from there. ``moved`` is told of each new position, after states were forgotten.
    """

    def __init__(self, states: Forgetful, moved: Moved) -> None:
        self._states = states
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
        if not at.follows(self._position):
            self._jump(at)
            return
        try:
            touches = decode_event(payload).touches
        except msgspec.MsgspecError:
            # What it changed cannot be known, so anything may have changed.
            self._jump(at)
            return
        self._states.forget(touches)
        self._move(at)

    def observe(self, head: Position) -> None:
        """See the head of a trusted Redis: of a newer epoch there is nothing to catch up with."""
        if head.epoch > self._position.epoch:
            self._jump(head)

    def skip_to(self, head: Position) -> None:
        """Give up the events before this head: they are not in the stream any more."""
        if head > self._position:
            self._jump(head)

    def _jump(self, to: Position) -> None:
        self._states.forget_all()
        self.jumps += 1
        self._move(to)

    def _move(self, to: Position) -> None:
        self._position = to
        self.applied += 1
        self._moved(to)
