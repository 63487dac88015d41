"""``make soak``: an hour of 200 requests a second on the processes of compose.yaml; growth is a fault."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.testkit.chromium import unpack_chromium
from tests.topology.soak.chart import draw
from tests.topology.soak.judging import table
from tests.topology.soak.run import LOAD, Plan, Results, run

CHART: Final = Path("docs/images/soak.png")
_SHOWN: Final = 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--interval", type=float, default=10.0, help="seconds between samples")
    parser.add_argument(
        "--warm-up", type=float, help="seconds that are not judged; by default a third of all"
    )
    parser.add_argument("--rate", type=float, default=1.0, help="times 200 requests a second")
    parser.add_argument("--results", type=Path, help="the samples as JSON; written all the time")
    parser.add_argument("--judge", type=Path, help="only judge the results of a former run")
    parser.add_argument(
        "--chart", type=Path, default=CHART, help="the picture to write; default: %(default)s"
    )
    chosen = parser.parse_args()
    if chosen.judge:
        results = Results.read(chosen.judge)
        results.warm_up = results.warm_up if chosen.warm_up is None else chosen.warm_up
    else:
        warm_up = chosen.seconds / 3 if chosen.warm_up is None else chosen.warm_up
        plan = Plan(chosen.seconds, chosen.interval, warm_up, rates=LOAD.times(chosen.rate))
        directory = Path(tempfile.mkdtemp(prefix="keyturn-soak-"))
        print(f"logs in {directory}", flush=True)
        unpack_chromium()  # a run of an hour does not end without its picture
        results = asyncio.run(run(directory, plan, chosen.results))
    asyncio.run(draw(results, chosen.chart))
    print(report(results))
    return 0 if results.passed else 1


def report(results: Results) -> str:
    """Return the table, the counts, and examples of what went wrong."""
    lines = [table(results.judgements), ""]
    lines += [f"{count:9,} {kind}" for kind, count in results.requests.most_common()]
    lines.append(
        f"{results.requests.total():,} requests, {results.failed.total()} failed, {len(results.wrong)} wrong"
    )
    lines += [f"failed: {kind} x{count}" for kind, count in results.failed.most_common()]
    lines += [f"failed: {told}" for told in results.told[:_SHOWN]]
    lines += [f"WRONG: {each}" for each in results.wrong[:_SHOWN]]
    lines.append("passed" if results.passed else "FAILED")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
