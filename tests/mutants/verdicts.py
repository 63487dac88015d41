"""Results of the mutants, and judgement of the survivors."""

import ast
import difflib
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.mutants.tree import SUITES, mutated
from tests.testkit.python_source import parse

EQUIVALENT: Final = Path(__file__).with_name("equivalent.toml")
LEAST_KILLED: Final = 0.95

_KILLED, _LIVED, _TIMEOUT, _BROKEN, _NOT_RUN = "killed", "lived", "timed out", "broken", "not run"
_MEANS: Final = {1: _KILLED, 3: _KILLED, 0: _LIVED, None: _NOT_RUN, 33: _NOT_RUN, 5: _NOT_RUN}
_TIMEOUTS: Final = {-24, 24, 36, 152, 255}
_RAISED: Final = re.compile(r"(?:raise|return|[\w: ]+ =) (\w+Error)\(")
_TEXT: Final = re.compile(r"""f?(["'])[^"']* .*\1[,)]*""")
"""A line with only words."""
_ASSERTED: Final = re.compile(r"(assert [^\"]+), \".*")
_STRICT: Final = re.compile(r"\bstrict=\w+")
"""Of ``zip(...)``: says to readers that both are of one length, which the code around sees to."""
_COMMA: Final = re.compile(r",\s*(?=\)|$)")
_SAME: Final = (
    ('"-INF"', '"-inf"'),
    ('"ASCII"', '"ascii"'),
    ('"LATIN-1"', '"latin-1"'),
    ('"UTF-8"', '"utf-8"'),
    ("last=None", "last=False"),
)
"""Texts and what means the same."""
_MARK: Final = "# type: ignore # mutmut generated"


@dataclass(frozen=True, slots=True)
class Mutant:
    """``was`` and ``now``: the lines of its function that it changed, with single spaces."""

    name: str
    file: str
    fate: str
    was: str = ""
    now: str = ""

    @property
    def package(self) -> str:
        return "/".join(self.file.split("/")[:2])

    @property
    def is_wording(self) -> bool:
        """True if only wording changed, on which nothing depends."""
        was, now = _RAISED.match(self.was), _RAISED.match(self.now)
        same_error = was is not None and now is not None and was[1] == now[1]
        if same_error or _TEXT.fullmatch(self.was) is not None:
            return True
        return _without_words(self.was) == _without_words(self.now)


def _without_words(line: str) -> str:
    for other, usual in _SAME:
        line = line.replace(other, usual)
    return _ASSERTED.sub(r"\1", _COMMA.sub("", _STRICT.sub("", line))).replace(" )", ")")


@dataclass
class Tally:
    """Counts of one package."""

    fates: Counter[str] = field(default_factory=Counter)

    @property
    def share(self) -> float:
        """Share detected, of those that were run and are meaningful."""
        noticed = self.fates[_KILLED] + self.fates[_TIMEOUT]
        tried = noticed + self.fates[_LIVED] + self.fates[_BROKEN]
        return noticed / tried if tried else 1.0


def read_mutants() -> list[Mutant]:
    """Return each mutant once: killed if any suite killed it."""
    found: dict[str, Mutant] = {}
    for suite in SUITES:
        for mutant in _of_suite(mutated(suite)):
            known = found.get(mutant.name)
            if known is None or known.fate == _NOT_RUN or mutant.fate == _KILLED:
                found[mutant.name] = mutant
    return list(found.values())


def forget_unnoticed(suite: str) -> None:
    """Make the next run retry the survivors: there may be new tests."""
    for meta in mutated(suite).rglob("*.py.meta"):
        known = json.loads(meta.read_text())
        known["exit_code_by_key"] = {
            name: None if _MEANS.get(code) in (_LIVED, _NOT_RUN) else code
            for name, code in known["exit_code_by_key"].items()
        }
        meta.write_text(json.dumps(known))


def judged(mutants: Iterable[Mutant]) -> tuple[list[Mutant], list[Mutant]]:
    """Return, of the survivors, those that change nothing relevant, and the unjudged ones."""
    reasons = set(_equivalent())
    lived = [mutant for mutant in mutants if mutant.fate == _LIVED]
    known = [each for each in lived if each.is_wording or (each.file, each.was, each.now) in reasons]
    return known, [each for each in lived if each not in known]


def tallies(mutants: Iterable[Mutant], known: Iterable[Mutant]) -> Mapping[str, Tally]:
    names = {mutant.name for mutant in known}
    found: dict[str, Tally] = {}
    for mutant in mutants:
        fate = "equivalent" if mutant.name in names else mutant.fate
        found.setdefault(mutant.package, Tally()).fates[fate] += 1
    return dict(sorted(found.items()))


def report(names: Sequence[str]) -> int:
    """Print it; return 1 if too few were killed. ``names``: parts of the files to show."""
    mutants = [each for each in read_mutants() if not names or any(name in each.file for name in names)]
    known, unjudged = judged(mutants)
    fates = (_KILLED, _TIMEOUT, "equivalent", _LIVED, _BROKEN, _NOT_RUN)
    print(f"{'package':34}" + "".join(f"{fate:>12}" for fate in (*fates, "noticed")))
    by_package = tallies(mutants, known)
    total = Tally(sum((tally.fates for tally in by_package.values()), Counter()))
    for package, tally in [*by_package.items(), ("all", total)]:
        counts = "".join(f"{tally.fates[fate]:12,}" for fate in fates)
        print(f"{package:34}{counts}{tally.share:11.1%}")
    for mutant in unjudged:
        print(f"\n{mutant.file}: {mutant.name.rpartition('.')[2]}\n  - {mutant.was}\n  + {mutant.now}")
    return 0 if total.share >= LEAST_KILLED else 1


def _equivalent() -> Iterable[tuple[str, str, str]]:
    """Yield file, original lines, changed lines, of which an entry may name several."""
    for each in tomllib.loads(EQUIVALENT.read_text())["equivalent"]:
        for now in each["now"]:
            yield each["file"], each["was"], now


def _of_suite(root: Path) -> Iterable[Mutant]:
    for meta in sorted(root.rglob("*.py.meta")):
        source = meta.with_suffix("")
        codes: dict[str, int | None] = json.loads(meta.read_text())["exit_code_by_key"]
        functions = _functions(source) if 0 in codes.values() else {}
        for name, code in codes.items():
            fate = _TIMEOUT if code in _TIMEOUTS else _MEANS.get(code, _BROKEN)
            changed = _change(functions, name.rpartition(".")[2]) if fate == _LIVED else ("", "")
            yield Mutant(name, str(source.relative_to(root)), fate, *changed)


def _functions(source: Path) -> dict[str, list[str]]:
    lines = source.read_text().splitlines()
    return {
        node.name: lines[node.lineno - 1 : node.end_lineno]
        for node in ast.walk(parse("\n".join(lines)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def _change(functions: Mapping[str, list[str]], name: str) -> tuple[str, str]:
    original = name.partition("__mutmut_")[0] + "__mutmut_orig"
    sound, changed = (
        [" ".join(line.replace(each, "").replace(_MARK, "").split()) for line in functions.get(each, ())]
        for each in (original, name)
    )
    lines = list(difflib.ndiff(sound, changed))
    return tuple(" ".join(line[2:] for line in lines if line.startswith(sign)) for sign in "-+")  # type: ignore[return-value]  # two
