"""``make simulate SEEDS=10000``: run the fleet protocol under many seeds, or one with its trace."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context

from tests.simulation.protections import PROTECTIONS
from tests.simulation.session import session
from tests.simulation.world import Outcome

_CHUNK = 25


@dataclass
class Total:
    """What all runs together showed."""

    seeds: int = 0
    checks: int = 0
    safe_waits: int = 0
    pending_waits: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    violations: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.seeds += 1
        self.checks += outcome.checks
        self.safe_waits += outcome.safe_waits
        self.pending_waits += outcome.pending_waits
        self.answers.update(outcome.answers)
        if outcome.violation is not None:
            self.violations.append(outcome)


def main() -> int:
    parser = argparse.ArgumentParser(prog="simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many seeds to run")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, help="replay this one and show what happens")
    parser.add_argument("--processes", type=int, default=1, help="processes to run seeds in")
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        choices=sorted(PROTECTIONS),
        metavar="PROTECTION",
        help="switch a protection off, and stop at the first violation; may be repeated",
    )
    parser.add_argument("--protections", action="store_true", help="list the protections")
    chosen = parser.parse_args()
    if chosen.protections:
        for protection in PROTECTIONS.values():
            print(f"{protection.name:24} {protection.means}")
        return 0
    if chosen.seed is not None:
        return _replay(chosen.seed, chosen.without)
    seeds = range(chosen.first, chosen.first + chosen.seeds)
    return _explore(seeds, chosen.without, chosen.processes)


def _replay(seed: int, missing: list[str]) -> int:
    with session(missing) as run:
        outcome = run(seed, print)
    print(_line(outcome, missing) if outcome.violation else f"seed {seed}: no violation")
    return 1 if outcome.violation else 0


def _explore(seeds: range, missing: list[str], processes: int) -> int:
    total, begun = Total(), time.monotonic()
    for outcome in _outcomes(seeds, missing, processes):
        total.add(outcome)
        if outcome.violation is not None:
            print(_line(outcome, missing), flush=True)
            if missing:
                break
    seconds = time.monotonic() - begun
    print(f"{total.seeds} seeds in {seconds:.1f} s, {total.seeds / seconds:.1f} seeds/s")
    print(f"{total.checks} checks; {total.safe_waits} waits safe, {total.pending_waits} not in time")
    print("answers: " + ", ".join(f"{count} {code}" for code, count in total.answers.most_common()))
    print(f"{len(total.violations) or 'no'} violation{'' if len(total.violations) == 1 else 's'}")
    return 1 if total.violations else 0


def _outcomes(seeds: range, missing: list[str], processes: int) -> Iterator[Outcome]:
    chunks = [seeds[at : at + _CHUNK] for at in range(0, len(seeds), _CHUNK)]
    if processes == 1:
        for chunk in chunks:
            yield from _run(chunk, missing)
        return
    with get_context("fork").Pool(processes) as pool:
        for outcomes in pool.imap(partial(_run, missing=missing), chunks):
            yield from outcomes


def _run(seeds: range, missing: list[str]) -> list[Outcome]:
    with session(missing) as run:
        return [run(seed, None) for seed in seeds]


def _line(outcome: Outcome, missing: list[str]) -> str:
    flags = "".join(f" --without {name}" for name in missing)
    return (
        f"VIOLATION with seed {outcome.seed} after {outcome.at:.2f} s: {outcome.violation}\n"
        f"  replay: python -m tests.simulation --seed {outcome.seed}{flags}"
    )


if __name__ == "__main__":
    sys.exit(main())
