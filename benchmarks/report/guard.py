"""Compare the ratios of a quick run with the committed ones.

    python -m benchmarks.report.guard [--only NAME ...]

Runs the benchmarks of verification, token endpoint, library and parser in their quick form. A benchmark with
a ratio that is worse than its tolerance allows is run a second time, since other work on the machine can
disturb one; if a ratio is still worse then, the exit code is 1. Rates and times are not compared, and results
are not kept. The exit code is 2 if nothing can be compared.
"""

import argparse
import sys

from benchmarks.report.judging import GUARDED, judge, lines
from benchmarks.report.plan import BY_NAME
from benchmarks.report.running import BenchmarkError, run
from benchmarks.results import DIRECTORY, Results, ResultsError, read

NAMES = tuple(dict.fromkeys(each.benchmark for each in GUARDED))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", choices=NAMES, nargs="+", metavar="NAME", help=", ".join(NAMES))
    chosen = parser.parse_args()
    names = chosen.only or list(NAMES)
    guarded = [each for each in GUARDED if each.benchmark in names]
    try:
        committed = {name: read(DIRECTORY / f"{name}.json") for name in names}
        now: dict[str, Results] = {}
        for _ in range(2):
            verdicts = judge(committed, now, guarded)
            for name in dict.fromkeys(each.guarded.benchmark for each in verdicts if each.failed):
                now[name] = run(BY_NAME[name], quick=True)
    except (BenchmarkError, ResultsError) as error:
        print(f"the ratios cannot be compared: {error}; `make bench` makes results", file=sys.stderr)
        return 2
    verdicts = judge(committed, now, guarded)
    print("\n".join(lines(verdicts)))
    failed = sum(verdict.failed for verdict in verdicts)
    print(f"{failed} of {len(verdicts)} ratios are worse than they may be" if failed else "no ratio is worse")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
