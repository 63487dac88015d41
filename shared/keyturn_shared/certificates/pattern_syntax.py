"""The syntax of patterns: the part of regular expressions that Java and Python read alike.

Characters, ``.``, classes, groups, ``|``, ``* + ? {m,n}``, ``^ $``, ``(?i)`` in front. ``\\w``, ``\\d`` and
``\\s`` are those of ASCII. Back-references, look-around and possessive quantifiers are refused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from keyturn_shared.certificates.errors import InvalidNameError

MAX_CHARACTERS: Final = 512
_MAX_REPEAT: Final = 64
_MAX_DEPTH: Final = 32

Test = Callable[[str], bool]

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_DIGITS: Final = "0123456789"
_CLASSES: Final = {
    "w": frozenset(_LETTERS + _LETTERS.upper() + _DIGITS + "_"),
    "d": frozenset(_DIGITS),
    "s": frozenset(" \t\n\r\f\v"),
}


@dataclass(frozen=True, slots=True)
class OneCharacter:
    """A character that passes a test."""

    test: Test


@dataclass(frozen=True, slots=True)
class Anchor:
    """``^``: the start of the text. ``$``: its end."""

    at: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """One part after the other."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Any of the branches."""

    branches: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Repetition:
    """A part so many times. ``most`` None: without end."""

    part: "Expression"
    least: int
    most: int | None


Expression: TypeAlias = OneCharacter | Anchor | Sequence | Choice | Repetition


def read_expression(text: str) -> Expression:
    """Raises InvalidNameError for what is not supported."""
    if not text or len(text) > MAX_CHARACTERS:
        raise InvalidNameError(f"a pattern has 1 to {MAX_CHARACTERS} characters")
    return _Reader(text).read()


class _Reader:
    """Recursive descent."""

    def __init__(self, text: str) -> None:
        self._ignores_case = text.startswith("(?i)")
        self._text = text
        self._position = 4 if self._ignores_case else 0
        self._depth = 0

    def read(self) -> Expression:
        expression = self._choice()
        if self._position < len(self._text):
            raise self._unsupported()
        return expression

    def _choice(self) -> Expression:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise InvalidNameError("a pattern with too many groups inside each other")
        branches = [self._sequence()]
        while self._peek() == "|":
            self._position += 1
            branches.append(self._sequence())
        self._depth -= 1
        return branches[0] if len(branches) == 1 else Choice(tuple(branches))

    def _sequence(self) -> Expression:
        parts = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeated(self._atom()))
        return Sequence(tuple(parts))

    def _repeated(self, part: Expression) -> Expression:
        match self._peek():
            case "*":
                bounds: tuple[int, int | None] = (0, None)
            case "+":
                bounds = (1, None)
            case "?":
                bounds = (0, 1)
            case "{":
                bounds = self._counts()
            case _:
                return part
        if isinstance(part, Anchor):
            raise self._unsupported()
        self._position += 1
        if self._peek() == "?":  # lazy or greedy makes no difference to whether the whole matches
            self._position += 1
        if self._peek() in ("*", "+", "?", "{"):
            raise self._unsupported()
        return Repetition(part, *bounds)

    def _counts(self) -> tuple[int, int | None]:
        end = self._text.find("}", self._position)
        low, comma, high = self._text[self._position + 1 : end].partition(",")
        numbers = [low, high] if high else [low]
        if end < 0 or not all(each.isascii() and each.isdigit() and len(each) < 4 for each in numbers):
            raise self._unsupported()
        least = int(low)
        most = None if comma and not high else int(high or low)
        if max(least, most or 0) > _MAX_REPEAT or (most is not None and most < least):
            raise InvalidNameError(f"a pattern repeats a part at most {_MAX_REPEAT} times")
        self._position = end
        return least, most

    def _atom(self) -> Expression:
        match character := self._take():
            case "(":
                return self._group()
            case "[":
                return OneCharacter(self._class())
            case ".":
                return OneCharacter(lambda each: each != "\n")
            case "^" | "$":
                return Anchor(character)
            case "\\":
                return OneCharacter(self._escape())
            case "*" | "+" | "?" | "{":
                self._position -= 1
                raise self._unsupported()
        return OneCharacter(self._literal(character))

    def _group(self) -> Expression:
        if self._peek() == "?":
            if self._text[self._position : self._position + 2] != "?:":
                raise self._unsupported()
            self._position += 2
        inside = self._choice()
        if self._take() != ")":
            raise InvalidNameError("a group in a pattern is not closed")
        return inside

    def _class(self) -> Test:
        negated = self._peek() == "^"
        self._position += negated
        tests: list[Test] = []
        while (character := self._take()) != "]" or not tests:
            # Java has unions and intersections of classes, and no "]" as their first character.
            if character in ("", "[", "&", "]"):
                raise self._unsupported()
            if character == "\\":
                tests.append(self._escape())
            elif self._peek() == "-" and self._text[self._position + 1 : self._position + 2] not in ("]", ""):
                self._position += 1
                tests.append(self._range(character, self._take()))
            else:
                tests.append(self._literal(character))
        return lambda each: any(test(each) for test in tests) is not negated

    def _range(self, first: str, last: str) -> Test:
        if last in ("\\", "[") or last < first:
            raise self._unsupported()
        if self._ignores_case:
            return lambda each: first <= each.lower() <= last or first <= each.upper() <= last
        return lambda each: first <= each <= last

    def _escape(self) -> Test:
        character = self._take()
        if (known := _CLASSES.get(character.lower())) is not None:
            wanted = character.islower()
            return lambda each: (each in known) is wanted
        if not character or (character.isascii() and character.isalnum()):
            raise self._unsupported()
        return self._literal(character)

    def _literal(self, character: str) -> Test:
        if self._ignores_case:
            folded = character.lower()
            return lambda each: each.lower() == folded
        return lambda each: each == character

    def _peek(self) -> str:
        return self._text[self._position : self._position + 1]

    def _take(self) -> str:
        character = self._peek()
        self._position += 1
        return character

    def _unsupported(self) -> InvalidNameError:
        return InvalidNameError(f"a pattern cannot have what stands at its character {self._position + 1}")
