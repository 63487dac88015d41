"""Faults made by hand, in Python and in Lua: those that a tool does not find, or cannot read.

Run in the copy, of which it changes one file at a time. Each fault is tried in a fork: for Python, of a
process that has imported nothing of the product; for Lua, which is read when used, of one that has imported
the tests.
"""

import json
import os
import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

LIST: Final = Path(__file__).with_name("by_hand.toml")
RESULTS: Final = "by-hand.json"
_OPTIONS: Final = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist")
_NOTICED, _PASSED = 1, 0


@dataclass(frozen=True, slots=True)
class Fault:
    """In ``file`` of the copy ``now`` replaces ``was``; ``tests`` must detect it."""

    name: str
    file: Path
    was: str
    now: str
    tests: tuple[str, ...]

    def text(self) -> str:
        """Return the file with the fault. Raises LookupError unless ``was`` occurs exactly once."""
        text = self.file.read_text()
        if text.count(self.was) != 1:
            raise LookupError(
                f"{self.name}: {self.file} has not once but {text.count(self.was)} times {self.was!r}"
            )
        return text.replace(self.was, self.now)


def read_faults() -> list[Fault]:
    return [
        Fault(each["name"], Path(each["file"]), each["was"], each["now"], tuple(each["tests"]))
        for each in tomllib.loads(LIST.read_text())["mutant"]
    ]


def main(names: Sequence[str]) -> int:
    faults = [fault for fault in read_faults() if not names or any(name in fault.name for name in names)]
    for fault in faults:
        fault.text()  # all of them must be applicable before any is tried
    tests = sorted({test for fault in faults for test in fault.tests})
    if _in_a_fork(tests) != _PASSED:
        print(f"without any fault these do not pass: {' '.join(tests)}")
        return 2
    lived = [*_try([fault for fault in faults if fault.file.suffix == ".py"])]
    pytest.main(["--collect-only", "-qqq", *_OPTIONS, *tests])
    lived += _try([fault for fault in faults if fault.file.suffix == ".lua"])
    results = {"tried": len(faults), "lived": [fault.name for fault in lived]}
    Path(RESULTS).write_text(json.dumps(results, indent=2))
    print(f"{len(faults)} faults made by hand, {len(lived)} not noticed")
    return 1 if lived else 0


def _try(faults: Iterable[Fault]) -> Iterable[Fault]:
    """Yield those that no test detected."""
    for fault in faults:
        sound = fault.file.read_text()
        fault.file.write_text(fault.text())
        try:
            outcome = _in_a_fork(fault.tests)
        finally:
            fault.file.write_text(sound)
        print(
            {_NOTICED: "noticed", _PASSED: "LIVED"}.get(outcome, f"BROKEN ({outcome})"),
            fault.name,
            flush=True,
        )
        if outcome != _NOTICED:
            yield fault


def _in_a_fork(tests: Sequence[str]) -> int:
    """Return the exit code of pytest, which has a time limit for each test."""
    if (child := os.fork()) == 0:
        sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - for as long as the process lives
        os._exit(int(pytest.main([*_OPTIONS, *tests])))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
