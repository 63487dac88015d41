"""Fills a database with clients, loses all of Redis, and measures the fleet's recovery.

Meanwhile callers send requests with secrets to every node, for which the right answer is known (a node that
cannot tell yet may answer 503), and an operator regenerates secrets. Everything runs on this machine, in a
directory that is removed afterwards.

    python -m benchmarks.refill --clients 1000000 --nodes 3
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import uvloop

from benchmarks.refill.run import Outcome, refill

_MIB = 1024 * 1024


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=1_000_000)
    parser.add_argument("--nodes", type=int, default=3)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="keyturn-refill-") as directory:
        outcome = uvloop.run(refill(Path(directory), chosen.clients, chosen.nodes, say=_say))
    report(outcome, chosen.clients)
    return 1 if outcome.answers.wrong else 0


def report(outcome: Outcome, clients: int) -> None:
    print(
        f"the database was filled in {outcome.database_seconds:.0f} s, it takes {outcome.disk / _MIB:.0f} MiB"
    )
    print(
        f"Redis emptied, complete again after {outcome.seconds:.1f} s: "
        f"{clients / outcome.seconds:,.0f} clients/s"
    )
    print(f"Redis uses {outcome.memory / _MIB:.0f} MiB, {outcome.memory / clients:.0f} bytes a client")
    figures = sorted(1000 * seconds for seconds in outcome.revocations)
    if figures:
        print(
            f"{len(figures)} secrets regenerated meanwhile; from the answer to the last node applied: median "
            f"{statistics.median(figures):.0f} ms, 90 % {figures[int(0.9 * (len(figures) - 1))]:.0f} ms, "
            f"longest {figures[-1]:.0f} ms"
        )
    print(f"{outcome.answers.total} requests meanwhile: {outcome.answers.describe()}")
    print(f"wrong answers: {len(outcome.answers.wrong)}")
    for line in outcome.answers.wrong[:20]:
        print(f"WRONG: {line}")


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
