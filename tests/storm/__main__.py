"""``make storm``: 20 nodes, one minute of changes and faults."""

import argparse
import dataclasses
import statistics
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from tests.storm.run import Plan, Verdict, storm

_SHOWN = 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="storm", description=__doc__)
    for field in dataclasses.fields(Plan):
        parser.add_argument(
            f"--{field.name}", type=type(field.default), default=field.default, metavar=str(field.default)
        )
    plan = Plan(**vars(parser.parse_args()))
    directory = Path(tempfile.mkdtemp(prefix="keyturn-storm-"))
    begun = time.monotonic()
    verdict = uvloop.run(storm(directory, plan))
    report(verdict)
    print(
        f"{'FAILED' if verdict.failures else 'passed'} after {time.monotonic() - begun:.0f} s with start and "
        f"end; seed {plan.seed}; logs in {directory}"
    )
    return 1 if verdict.failures else 0


def report(verdict: Verdict) -> None:
    plan, tally, probed = verdict.plan, verdict.tally, verdict.probed
    print(f"{plan.nodes} nodes, {plan.seconds:g} s, {plan.clients} clients, lease {plan.lease:g} s")
    print(f"faults: {', '.join(f'{name} {count}' for name, count in sorted(verdict.faults.items()))}")
    print(
        f"changes: {tally.changes} ({tally.changes / plan.seconds:.1f} a second): {tally.secrets} secrets "
        f"regenerated, {tally.keys} keys revoked; {tally.safe} said to be safe; "
        f"{tally.unacknowledged} requests without an answer and {tally.asked_again} waits asked again; "
        f"{tally.skipped} not begun, since every client was busy"
    )
    if tally.seconds:
        figures = sorted(1000 * seconds for seconds in tally.seconds)
        ninety = figures[int(0.9 * (len(figures) - 1))]
        print(
            f"from a change to being safe: median {statistics.median(figures):.0f} ms, "
            f"90 % within {ninety:.0f} ms, longest {figures[-1]:.0f} ms"
        )
    refused = probed.refusals.total() - probed.refusals[503]
    print(
        f"probes with an ended credential: {probed.total}, every node after every safe change: "
        f"{refused} refused, {probed.refusals[503]} answered 503, {len(probed.violations)} ACCEPTED or not "
        f"answered; {probed.repeated} sent again since the node was dead"
    )
    for failure in verdict.failures[:_SHOWN]:
        print(f"FAILURE: {failure}")
    if len(verdict.failures) > _SHOWN:
        print(f"and {len(verdict.failures) - _SHOWN} more")


if __name__ == "__main__":
    sys.exit(main())
