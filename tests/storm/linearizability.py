"""Check of a history: one order of all changes must explain every answer. A pure function.

Each register is judged separately. An answer is explained by a write that may have been made when it was
given, and that was not certainly followed by another write in effect everywhere when the question was sent.
No node answers from a state older than one it has answered from before; and no node at all, once a change
that began after such an answer is complete.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from tests.storm.history import (
    Change,
    History,
    Presentation,
    Promise,
    Register,
    Verdict,
    Violation,
)
from tests.storm.writes import Barrier, Write, Writes, writes_of

ENDED: Final = "granted after its end was complete"
LATE: Final = "granted although the term of its end was over"
PASSED: Final = "granted although a change made after its end was complete"
UNMADE: Final = "granted before anybody made it"
FALSELY_REFUSED: Final = "refused although it was made and not ended"
TWICE: Final = "granted twice"
WENT_BACK: Final = "a node went back"
DIFFERED: Final = "nodes differed after a later change was complete"

_Explanations = tuple[Write, ...]


@dataclass
class Judged:
    """``grants`` and ``refusals``: numbers of judged ones. ``excused``: refusals with a reason of their
    own."""

    grants: int = 0
    refusals: int = 0
    undecided: int = 0
    excused: int = 0
    violations: list[Violation] = field(default_factory=list)


@dataclass
class _Seen:
    """The first to give this answer, at each node and at all."""

    first: Presentation
    at_node: dict[str, Presentation] = field(default_factory=dict)


def check(history: History, promise: Promise) -> Judged:
    """Judge every answer."""
    return _Check(history, promise).run()


class _Check:
    def __init__(self, history: History, promise: Promise) -> None:
        self._barrier = Barrier(history.changes)
        self._writes: Writes = writes_of(history, promise, self._barrier)
        self._shown = sorted(history.presentations, key=lambda each: each.sent)
        self._uses: dict[str, list[Presentation]] = defaultdict(list)
        self._seen: dict[Register, dict[_Explanations, _Seen]] = defaultdict(dict)
        self._observed: list[tuple[Presentation, Register, _Explanations]] = []
        self._judged = Judged()

    def run(self) -> Judged:
        for shown in self._shown:
            if shown.single_use is not None:
                self._uses[shown.single_use].append(shown)
        for shown in self._shown:
            self._judge(shown)
        self._judge_uses()
        self._judge_order()
        return self._judged

    def _judge(self, shown: Presentation) -> None:
        match shown.verdict:
            case Verdict.GRANTED:
                self._judged.grants += 1
                self._judge_grant(shown)
            case Verdict.REFUSED if self._used_elsewhere(shown):
                self._judged.excused += 1
            case Verdict.REFUSED:
                self._judged.refusals += 1
                self._judge_refusal(shown)
            case Verdict.UNDECIDED:
                self._judged.undecided += 1

    def _judge_grant(self, shown: Presentation) -> None:
        for register in sorted(shown.needs):
            if explained := self._explanations(register, True, shown):
                self._observed.append((shown, register, explained))
            else:
                self._judged.violations.append(self._wrong_grant(shown, register))

    def _judge_refusal(self, shown: Presentation) -> None:
        reasons = {
            register: explained
            for register in sorted(shown.needs)
            if (explained := self._explanations(register, False, shown))
        }
        if not reasons:
            self._judged.violations.append(self._wrong_refusal(shown))
        elif len(reasons) == 1:
            [(register, explained)] = reasons.items()
            self._observed.append((shown, register, explained))

    def _explanations(self, register: Register, value: bool, shown: Presentation) -> _Explanations:
        writes = self._writes[register]
        certain = [write for write in writes if write.in_force <= shown.sent]
        return tuple(
            write
            for write in writes
            if write.value is value
            and write.begun < shown.answered
            and not any(write.precedes(later) for later in certain)
        )

    def _used_elsewhere(self, shown: Presentation) -> bool:
        """Return whether another request may have used it up."""
        return shown.single_use is not None and any(
            other is not shown and other.sent < shown.answered for other in self._uses[shown.single_use]
        )

    def _wrong_grant(self, shown: Presentation, register: Register) -> Violation:
        made = [write for write in self._writes[register] if write.value and write.begun < shown.answered]
        if not made:
            return Violation(UNMADE, [shown], register)
        last = max(made, key=lambda write: write.begun)
        end = min(
            (write for write in self._writes[register] if last.precedes(write) and not write.value),
            key=lambda write: write.in_force,
        )
        assert isinstance(end.by, Change)
        if end.by.complete <= shown.sent:
            return Violation(ENDED, [end.by, shown], register)
        later = self._barrier.after(end.by.settled)
        if later is not None and later.complete <= shown.sent:
            return Violation(PASSED, [end.by, later, shown], register)
        return Violation(LATE, [end.by, shown], register)

    def _wrong_refusal(self, shown: Presentation) -> Violation:
        made = [
            (write, register)
            for register in sorted(shown.needs)
            for write in self._explanations(register, True, shown)
            if write.by is not None
        ]
        if not made:
            return Violation(FALSELY_REFUSED, [shown])
        last, register = max(made, key=lambda each: each[0].begun)
        assert last.by is not None
        return Violation(FALSELY_REFUSED, [last.by, shown], register)

    def _judge_uses(self) -> None:
        for uses in self._uses.values():
            granted = [each for each in uses if each.verdict is Verdict.GRANTED]
            if len(granted) > 1:
                self._judged.violations.append(Violation(TWICE, granted[:3]))

    def _judge_order(self) -> None:
        for shown, register, explained in sorted(self._observed, key=lambda each: each[0].answered):
            seen = self._seen[register].setdefault(explained, _Seen(shown))
            if shown.node is not None:
                seen.at_node.setdefault(shown.node, shown)
        for shown, register, explained in self._observed:
            for newer, seen in self._seen[register].items():
                if newer != explained and all(old.precedes(new) for old in explained for new in newer):
                    self._judged.violations += self._gone_back(shown, register, seen)

    def _gone_back(self, shown: Presentation, register: Register, seen: _Seen) -> Iterator[Violation]:
        same = seen.at_node.get(shown.node) if shown.node is not None else None
        if same is not None and same.answered <= shown.sent:
            yield Violation(WENT_BACK, [same, shown], register)
            return
        later = self._barrier.after(seen.first.answered)
        if later is not None and later.complete <= shown.sent:
            yield Violation(DIFFERED, [seen.first, later, shown], register)
