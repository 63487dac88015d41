"""Regular expressions that take time proportional to the text, whoever wrote them.

Administrators of a realm may let a client's subject match a pattern. The usual engines backtrack: a pattern
can make them run for hours on one certificate, and with them a node that serves other realms too. Here all
alternatives are followed at once (Thompson 1968), so there is nothing to go back to.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Self

from keyturn_shared.certificates.errors import InvalidNameError
from keyturn_shared.certificates.pattern_syntax import (
    Anchor,
    Choice,
    Expression,
    OneCharacter,
    Repetition,
    Sequence,
    Test,
    read_expression,
)

MAX_STATES: Final = 512
_ACCEPT: Final = 0
_KEPT: Final = 256


@dataclass(slots=True)
class _State:
    """``test`` reads one character and goes on at ``targets``; without one it goes on at once, but only at
    the start or the end of the text if ``at`` says so."""

    test: Test | None = None
    targets: list[int] = field(default_factory=list)
    at: str = ""


class Pattern:
    """A pattern that whole texts match or do not. Its syntax: ``pattern_syntax``."""

    __slots__ = ("_start", "_states")

    def __init__(self, expression: Expression) -> None:
        """Raises InvalidNameError when it needs too many states."""
        self._states = [_State()]
        self._start = self._build(expression, _ACCEPT)

    @classmethod
    @lru_cache(maxsize=_KEPT)
    def read(cls, text: str) -> Self:
        """Raises InvalidNameError for what is not supported or too large."""
        return cls(read_expression(text))

    def matches(self, text: str) -> bool:
        """Whether the pattern matches the whole text."""
        length = len(text)
        current = self._reached({self._start}, at_start=True, at_end=length == 0)
        for position, character in enumerate(text, 1):
            following: set[int] = set()
            for number in current:
                state = self._states[number]
                if state.test is not None and state.test(character):
                    following.update(state.targets)
            current = self._reached(following, at_start=False, at_end=position == length)
            if not current:
                return False
        return _ACCEPT in current

    def _reached(self, numbers: set[int], *, at_start: bool, at_end: bool) -> set[int]:
        """These states, and those that are reached without reading a character."""
        reached, waiting = set(numbers), list(numbers)
        while waiting:
            state = self._states[waiting.pop()]
            if state.test is not None:
                continue
            if (state.at == "^" and not at_start) or (state.at == "$" and not at_end):
                continue
            fresh = [target for target in state.targets if target not in reached]
            reached.update(fresh)
            waiting += fresh
        return reached

    def _build(self, expression: Expression, after: int) -> int:
        """The state at which the expression begins, when it goes on at ``after``."""
        match expression:
            case OneCharacter(test):
                return self._add(_State(test, [after]))
            case Anchor(at):
                return self._add(_State(None, [after], at))
            case Sequence(parts):
                for part in reversed(parts):
                    after = self._build(part, after)
                return after
            case Choice(branches):
                return self._add(_State(None, [self._build(branch, after) for branch in branches]))
            case Repetition():
                return self._build_repetition(expression, after)

    def _build_repetition(self, repetition: Repetition, after: int) -> int:
        if repetition.most is None:
            loop = self._add(_State())
            self._states[loop].targets = [self._build(repetition.part, loop), after]
            after = loop
        else:
            skip = after
            for _ in range(repetition.most - repetition.least):
                after = self._add(_State(None, [self._build(repetition.part, after), skip]))
        for _ in range(repetition.least):
            after = self._build(repetition.part, after)
        return after

    def _add(self, state: _State) -> int:
        if len(self._states) >= MAX_STATES:
            raise InvalidNameError("a pattern with too many parts")
        self._states.append(state)
        return len(self._states) - 1
