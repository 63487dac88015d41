"""``make durability``: instances of the credentials service killed for a minute while 20 callers write."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.durability.run import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="durability", description=__doc__)
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default="postgresql")
    parser.add_argument("--instances", type=int, help="2 on PostgreSQL, 1 on SQLite")
    parser.add_argument("--writers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--pause", type=float, default=3.0, help="mean seconds between kills")
    parser.add_argument("--kill-database", action="store_true", help="kill PostgreSQL now and then as well")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    if chosen.instances is None:
        chosen.instances = 2 if chosen.database == "postgresql" else 1
    directory = Path(tempfile.mkdtemp(prefix="keyturn-durability-"))
    verdict = asyncio.run(run(directory, **vars(chosen)))
    print(f"killed: {', '.join(f'{name} {count}' for name, count in sorted(verdict.kills.items()))}")
    print(
        f"changes acknowledged: {verdict.acknowledged}, not answered: {verdict.not_answered};"
        f" events in the log: {verdict.events}"
    )
    if verdict.takeovers:
        print(
            f"another instance took over relaying {len(verdict.takeovers)} times,"
            f" after {min(verdict.takeovers):.1f} to {max(verdict.takeovers):.1f} s"
        )
    print(f"instances asked {verdict.samples} times whether they relay")
    for line in verdict.wrong:
        print(f"WRONG: {line}")
    print(f"{'FAILED' if verdict.wrong else 'passed'}; seed {chosen.seed}; logs in {directory}")
    return 1 if verdict.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
