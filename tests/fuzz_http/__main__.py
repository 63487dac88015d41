"""``make fuzz-http``: ten minutes of streams on which parsers may disagree."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz_http.run import fuzz


def main() -> int:
    parser = argparse.ArgumentParser(prog="fuzz-http", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0, help="another one sends other things")
    chosen = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="keyturn-fuzz-") as directory:
        tally = fuzz(Path(directory), seconds=60 * chosen.minutes, first_seed=chosen.seed)
    print(f"{tally.streams:,} streams in {time.monotonic() - begun:.0f} s, nothing that should not happen")
    for name in tally.read | tally.refused:
        print(f"  {name:24} read {tally.read[name]:8,}   refused {tally.refused[name]:8,}")
    for name, (before, after) in tally.memory.items():
        print(f"  {name:24} {before:.0f} MB before, {after:.0f} MB after")
    print(
        "  answers " + ", ".join(f"{status}: {count:,}" for status, count in sorted(tally.statuses.items()))
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
