"""Registers of a history, and the writes to them: between which moments, and from when on for all nodes.

There is one log. A write takes its place between the start of its call and the moment at which it was known
to be committed. Issuing a token writes nothing there: its place is the position of the issuing node, anywhere
behind what was in effect when it was requested.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from tests.storm.history import Change, History, Presentation, Promise, Register


@dataclass(frozen=True, eq=False)
class Write:
    """``value``: of the register from then on. ``in_force``: from then on no node answers from an older
    state. ``by``: the call, None for the initial value."""

    value: bool
    begun: float
    settled: float
    in_force: float
    by: Change | Presentation | None
    in_log: bool = True

    def precedes(self, other: "Write") -> bool:
        """Return whether this one comes before the other one in every order that the calls allow."""
        if self is other:
            return False
        if other.in_log:
            return self.settled < other.begun
        return self.in_force <= other.begun


class Barrier:
    """Consequence of a complete change for all earlier ones: in one log, they are applied too."""

    def __init__(self, changes: Iterable[Change]) -> None:
        ordered = sorted((change for change in changes if change.complete < inf), key=lambda each: each.begun)
        self._begun = [change.begun for change in ordered]
        self._by: list[Change] = []
        earliest: Change | None = None
        for change in reversed(ordered):
            if earliest is None or change.complete < earliest.complete:
                earliest = change
            self._by.append(earliest)
        self._by.reverse()

    def after(self, moment: float) -> Change | None:
        """Return, of the changes begun after that moment, the one that was complete first."""
        index = bisect_right(self._begun, moment)
        return self._by[index] if index < len(self._by) else None


Writes = dict[Register, list[Write]]


def writes_of(history: History, promise: Promise, barrier: Barrier) -> Writes:
    """Return all writes by register. A register is initially false."""
    never = Write(False, -inf, -inf, -inf, None)
    found: Writes = defaultdict(lambda: [never])
    for change in history.changes:
        made, ended = (_write(change, value, promise, barrier) for value in (True, False))
        for register in change.makes:
            found[register].append(made)
        for register in change.ends:
            found[register].append(ended)
    _add_issues(found, history, promise, barrier)
    return found


def _add_issues(found: Writes, history: History, promise: Promise, barrier: Barrier) -> None:
    ends: dict[str, list[Write]] = defaultdict(list)
    for change in sorted(history.changes, key=lambda each: each.begun):
        for owner in change.ends_issued_to:
            ends[owner].append(_write(change, False, promise, barrier))
    for issue in history.presentations:
        if issue.issued is None:
            continue
        made = Write(True, issue.sent, issue.answered, issue.answered, issue, in_log=False)
        found[issue.issued].append(made)
        for owner in issue.issued_to:
            found[issue.issued] += [end for end in ends[owner] if not end.precedes(made)]


def _write(change: Change, value: bool, promise: Promise, barrier: Barrier) -> Write:
    in_force = min(change.complete, change.settled + promise.term)
    if change.settled < inf and (later := barrier.after(change.settled)) is not None:
        in_force = min(in_force, later.complete)
    return Write(value, change.begun, change.settled, in_force, change)
