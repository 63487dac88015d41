"""Output for terminals and pipes. Nothing that a server sends can control the terminal."""

import json
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TextIO

_BOLD, _PLAIN = "\033[1m", "\033[0m"
_WIDE: Final = frozenset("WF")
_MISSING: Final = "-"


def printable(text: str) -> str:
    """Escape every character that is not printable: control characters, bidirectional marks, line ends."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def cell(value: object) -> str:
    """Format a value for a table."""
    match value:
        case None | "":
            return _MISSING
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case list() | tuple():
            return ", ".join(map(cell, value)) or _MISSING
        case dict():
            return printable(json.dumps(value, ensure_ascii=False))
    return printable(str(value))


def time_text(value: object) -> str:
    """Format NumericDate seconds, or their text, as UTC."""
    if value is None or value == "":
        return _MISSING
    try:
        return datetime.fromtimestamp(float(str(value)), UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return cell(value)


def table(heads: Sequence[str], rows: Sequence[Sequence[object]], *, bold: bool = False) -> list[str]:
    """Return the lines of a table. ``bold``: emphasise the heads by an escape sequence."""
    lines = [list(heads), *([cell(value) for value in row] for row in rows)]
    widths = [max(_width(line[column]) for line in lines) for column in range(len(heads))]
    shown = [
        "  ".join(
            text + " " * (width - _width(text)) for text, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    ]
    if bold:
        shown[0] = f"{_BOLD}{shown[0]}{_PLAIN}"
    return shown


class Output:
    """Standard output as text or JSON, and messages on standard error."""

    def __init__(self, as_json: bool, out: TextIO | None = None, messages: TextIO | None = None) -> None:
        self.as_json = as_json
        self._out = out or sys.stdout
        self._messages = messages or sys.stderr
        self._progress_width = 0

    def line(self, text: str) -> None:
        self._out.write(printable(text) + "\n")
        self._out.flush()

    def raw(self, text: str) -> None:
        """Print a value for another program exactly; on a terminal it is escaped."""
        self._out.write((printable(text) if self._out.isatty() else text) + "\n")

    def json(self, value: object, *, indent: int | None = 2) -> None:
        self._out.write(json.dumps(value, indent=indent) + "\n")
        self._out.flush()

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[object]], *, none: str = "None.") -> None:
        """Print a table, or a sentence if it has no rows."""
        if not rows:
            self.line(none)
            return
        self._out.write("\n".join(table(heads, rows, bold=self._out.isatty())) + "\n")
        self._out.flush()

    def members(self, values: Mapping[str, object]) -> None:
        """Print one thing: a line for each member that has a value."""
        shown = {name: cell(value) for name, value in values.items()}
        width = max((len(name) for name in shown), default=0)
        for name, text in shown.items():
            if text != _MISSING:
                self.line(f"{name:<{width}}  {text}")

    def message(self, text: str) -> None:
        """Print for the person: a refusal, a notice. It is not part of the result."""
        self.end_progress()
        self._messages.write(printable(text) + "\n")
        self._messages.flush()

    def progress(self, text: str) -> None:
        """Show progress in one line of the terminal; nothing if standard error is not one."""
        if self._messages.isatty():
            self._messages.write("\r" + printable(text).ljust(self._progress_width))
            self._messages.flush()
            self._progress_width = len(text)

    def end_progress(self) -> None:
        if self._progress_width:
            self._messages.write("\r" + " " * self._progress_width + "\r")
            self._messages.flush()
            self._progress_width = 0


def _width(text: str) -> int:
    return sum(
        0
        if unicodedata.combining(character)
        else 2
        if unicodedata.east_asian_width(character) in _WIDE
        else 1
        for character in text
    )
