"""Coverage of the Lua scripts' branches. A hook counts lines; each branch gets its own."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from lupa.lua51 import LuaRuntime

COUNTING: Final = b"""
local hits = {}
local function note(_, line)
  local lines = hits[debug.getinfo(2, 'S').source]
  if lines then lines[line] = (lines[line] or 0) + 1 end
end
return {
  hits = hits,
  count = function(on)
    if on then debug.sethook(note, 'l') else debug.sethook() end
  end,
  compile = function(text, name)
    hits['@' .. name] = {}
    return assert(loadstring(text, '@' .. name))()
  end,
}
"""

_COMMENT: Final = re.compile(r"--.*")
_OPENS: Final = re.compile(r"\b(then|else)\b(?=\s*\S)")
_CLOSES: Final = re.compile(r"(?<=\S)\s+(elseif|else|end)\b")
"""Branches that share a line with other code."""


class Branch(NamedTuple):
    """One way out of a condition: its text, and the condition's value."""

    condition: str
    held: bool

    def __str__(self) -> str:
        return f"{self.condition} ({'held' if self.held else 'did not hold'})"


@dataclass
class Taken:
    """Counts of the executed scripts' branches taken. The common parts count once."""

    counts: Counter[Branch] = field(default_factory=Counter)

    def add(self, other: "Taken") -> None:
        for branch, count in other.counts.items():
            self.counts[branch] += count

    def missed(self) -> list[Branch]:
        return sorted(branch for branch, count in self.counts.items() if not count)


def on_own_lines(text: str) -> str:
    """Return the same script, with a line break before and after each branch."""
    bare = (_COMMENT.sub("", line) for line in text.splitlines())
    return "\n".join(_OPENS.sub(r"\1\n", _CLOSES.sub(r"\n\1", line)) for line in bare)


class BranchCounter:
    """Compiles scripts so that their branches are counted."""

    def __init__(self, lua: LuaRuntime) -> None:
        self._counting = lua.execute(COUNTING)
        self._scripts: dict[str, list[str]] = {}
        self.count(on=True)

    def count(self, *, on: bool) -> None:
        """Start or stop counting."""
        self._counting[b"count"](on)

    def compile(self, name: str, text: str) -> Any:
        """Compile a script."""
        text = on_own_lines(text)
        self._scripts[name] = text.splitlines()
        return self._counting[b"compile"](text.encode(), name.encode())

    def taken(self) -> Taken:
        """Return the branches taken so far."""
        taken = Taken()
        for name, lines in self._scripts.items():
            hits = dict(self._counting[b"hits"][b"@" + name.encode()].items())
            for branch, count in _branches(lines, hits):
                taken.counts[branch] += count
        return taken


def _branches(lines: list[str], hits: dict[int, int]) -> Iterable[tuple[Branch, int]]:
    for number, line in enumerate(lines, start=1):
        if line.rstrip().endswith("then"):
            condition, asked = line.strip().removesuffix("then").strip(), hits.get(number, 0)
            held = _hits_of_body(lines, hits, number)
            yield Branch(condition, held=True), held
            yield Branch(condition, held=False), max(0, asked - held)


def _hits_of_body(lines: list[str], hits: dict[int, int], number: int) -> int:
    """Return the hits of the first non-empty line after that one."""
    after = next((at for at in range(number, len(lines)) if lines[at].strip()), None)
    return 0 if after is None else hits.get(after + 1, 0)
