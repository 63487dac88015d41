"""``make storm``: 20 nodes, one minute of changes and faults."""

import argparse
import asyncio
import statistics
import sys
import tempfile
from pathlib import Path

from tests.storm.run import storm


def main() -> int:
    parser = argparse.ArgumentParser(prog="storm", description=__doc__)
    parser.add_argument("--nodes", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=50.0, help="changes a second")
    parser.add_argument("--clients", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pause", type=float, default=2.0, help="mean seconds between faults")
    chosen = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="keyturn-storm-"))
    verdict = asyncio.run(storm(directory, **vars(chosen)))
    tally = verdict.tally
    print(f"faults: {', '.join(f'{name} {count}' for name, count in sorted(verdict.faults.items()))}")
    print(f"changes begun: {tally.changes}, not acknowledged: {tally.not_acknowledged}")
    print(f"waits: {tally.waits_safe} safe, {tally.waits_pending} still pending when their time was over")
    if tally.wait_seconds:
        milliseconds = sorted(1000 * seconds for seconds in tally.wait_seconds)
        p99 = milliseconds[int(0.99 * (len(milliseconds) - 1))]
        print(f"time of a safe wait: median {statistics.median(milliseconds):.1f} ms, p99 {p99:.1f} ms")
    print(
        f"probes with a former secret: {tally.probes}; {tally.refused} refused, {tally.fenced} fenced (503), "
        f"{tally.silent} not answered (killed or stopped), {len(tally.violations)} ACCEPTED"
    )
    for line in [*tally.violations, *verdict.disagreements]:
        print(f"VIOLATION: {line}")
    print(f"{'passed' if verdict.passed else 'FAILED'}; seed {chosen.seed}; logs in {directory}")
    return 0 if verdict.passed else 1


if __name__ == "__main__":
    sys.exit(main())
