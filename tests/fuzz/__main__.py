"""``make fuzz``: ten minutes of fuzzing."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.run import fuzz


def main() -> int:
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0, help="another one sends other things")
    chosen = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="keyturn-fuzz-") as directory:
        tally = fuzz(Path(directory), seconds=60 * chosen.minutes, first_seed=chosen.seed)
    total = sum(tally.executions.values())
    print(f"{total:,} executions in {time.monotonic() - begun:.0f} s, nothing that should not happen")
    for name, count in tally.executions.items():
        print(f"  {name:12} {count:10,}")
    answers = ", ".join(f"{status}: {count:,}" for status, count in sorted(tally.statuses.items()))
    print(f"  answers      {answers}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
