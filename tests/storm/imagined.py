"""Histories of an imaginary fleet that keeps its promises, or breaks one, which the check must find."""

import random
from bisect import bisect_right
from dataclasses import dataclass
from math import inf
from typing import Final

from tests.storm.history import Change, History, Outcome, Presentation, Register, Verdict

TERM: Final = 8.0
_NODES: Final = ("n1", "n2", "n3")
_REGISTERS: Final[tuple[Register, ...]] = (("secret", "a"), ("secret", "b"), ("enabled", "c"))
_CHANGES: Final = 12
_QUESTIONS: Final = 120
_SECONDS: Final = 60.0


@dataclass(frozen=True)
class _Entry:
    """A log entry: ``applied``: when, by each node, in the order of the log."""

    committed: float
    register: Register
    value: bool
    applied: dict[str, float]


class ImaginedFleet:
    """Draws a log, when each node applied each of its entries, and the resulting answers.

    ``deaf``: a node that never applies the end of anything. ``forgetful``: one that sometimes answers from an
    older position.
    """

    def __init__(self, seed: int, *, deaf: str = "", forgetful: str = "") -> None:
        self._random = random.Random(seed)
        self._deaf = deaf
        self._forgetful = forgetful
        self._log: list[_Entry] = []

    def history(self) -> History:
        begun = sorted(self._random.uniform(0, _SECONDS) for _ in range(_CHANGES))
        commits = [moment + self._random.uniform(0.01, 3) for moment in begun]
        self._log = self._drawn_log(sorted(commits))
        by_commit = {entry.committed: entry for entry in self._log}
        changes = [self._change(at, by_commit[commit]) for at, commit in zip(begun, commits, strict=True)]
        return History(changes, [self._question() for _ in range(_QUESTIONS)])

    def _drawn_log(self, commits: list[float]) -> list[_Entry]:
        log: list[_Entry] = []
        position = dict.fromkeys(_NODES, 0.0)
        for commit in commits:
            for node in _NODES:
                position[node] = max(position[node], commit + self._random.uniform(0, TERM / 2))
            register = self._random.choice(_REGISTERS)
            log.append(_Entry(commit, register, self._random.random() < 0.5, dict(position)))
        return log

    def _change(self, begun: float, entry: _Entry) -> Change:
        outcome = self._random.choice(
            [Outcome.COMPLETE, Outcome.COMPLETE, Outcome.ACCEPTED, Outcome.UNANSWERED]
        )
        settled = entry.committed + self._random.uniform(0, 0.5) if outcome is not Outcome.UNANSWERED else inf
        complete = inf
        if outcome is Outcome.COMPLETE:
            complete = max(settled, *entry.applied.values()) + self._random.uniform(0, 0.1)
        makes, ends = ({entry.register}, set()) if entry.value else (set(), {entry.register})
        return Change("change", begun, outcome, settled, complete, frozenset(makes), frozenset(ends))

    def _question(self) -> Presentation:
        node, register = self._random.choice(_NODES), self._random.choice(_REGISTERS)
        decided = self._random.uniform(0, _SECONDS + TERM)
        before, after = self._random.uniform(0, 1.0), self._random.uniform(0, 1.0)
        granted = self._value(node, register, decided)
        verdict = Verdict.GRANTED if granted else Verdict.REFUSED
        return Presentation(
            "it", "place", node, decided - before, decided + after, verdict, frozenset({register})
        )

    def _value(self, node: str, register: Register, decided: float) -> bool:
        position = bisect_right([entry.applied[node] for entry in self._log], decided)
        if node == self._forgetful and self._random.random() < 0.2:
            position = max(0, position - 4)
        value = False
        for entry in self._log[:position]:
            if entry.register == register and (entry.value or node != self._deaf):
                value = entry.value
        return value
