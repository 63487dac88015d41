"""Accumulated results of many runs, and a file from which a long search continues."""

import json
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.simulation.redis_model.branches import Taken
from tests.simulation.world import Outcome


@dataclass
class Total:
    """The results of all runs together."""

    seeds: int = 0
    seconds: float = 0.0
    checks: int = 0
    safe_waits: int = 0
    pending_waits: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    taken: Taken = field(default_factory=Taken)
    violations: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.seeds += 1
        self.checks += outcome.checks
        self.safe_waits += outcome.safe_waits
        self.pending_waits += outcome.pending_waits
        self.answers.update(outcome.answers)
        if outcome.violation is not None:
            self.violations.append(outcome)

    @property
    def seeds_per_second(self) -> float:
        return self.seeds / self.seconds if self.seconds else 0.0


def append_result(path: Path, total: Total, *, first: int, without: list[str], intruded: bool) -> None:
    """Add a line: one JSON object for each search."""
    line = {
        "commit": _commit(),
        "first": first,
        "seeds": total.seeds,
        "without": without,
        "intruded": intruded,
        "seconds": round(total.seconds, 1),
        "seeds_per_second": round(total.seeds_per_second, 1),
        "checks": total.checks,
        "waits_safe": total.safe_waits,
        "waits_not_in_time": total.pending_waits,
        "answers": dict(total.answers.most_common()),
        "violations": [[outcome.seed, str(outcome.violation)] for outcome in total.violations],
    }
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def next_seed(path: Path) -> int:
    """Return the seed after the last one in the file; 0 without a file."""
    if not path.exists():
        return 0
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return max((line["first"] + line["seeds"] for line in lines), default=0)


def _commit() -> str:
    """Return the commit, with a mark if files were changed since; empty outside a repository."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip()
