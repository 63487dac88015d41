"""``make storm``: 20 nodes, one minute of changes and of faults at every edge, and a check from outside."""

import argparse
import dataclasses
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final

import uvloop

from tests.storm.plan import Plan
from tests.storm.run import Verdict, storm

_SHOWN: Final = 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="storm", description=__doc__)
    for field in dataclasses.fields(Plan):
        name, default = f"--{field.name}", field.default
        if isinstance(default, bool):
            parser.add_argument(name, action="store_true")
        else:
            parser.add_argument(name, type=type(default), default=default, metavar=str(default))
    parser.add_argument("--seeds", type=int, default=1, metavar="1", help="so many storms, from --seed on")
    asked = vars(parser.parse_args())
    seeds = range(asked["seed"], asked["seed"] + asked.pop("seeds"))
    failed = [seed for seed in seeds if not _storm(Plan(**asked | {"seed": seed}))]
    if len(seeds) > 1:
        print(f"{len(seeds)} storms, {len(failed)} failed: {failed}")
    return 1 if failed else 0


def _storm(plan: Plan) -> bool:
    """Return whether the fleet survived."""
    directory = Path(tempfile.mkdtemp(prefix="keyturn-storm-"))
    begun = time.monotonic()
    verdict = uvloop.run(storm(directory, plan))
    report(verdict)
    print(
        f"{'FAILED' if verdict.failures else 'passed'} after {time.monotonic() - begun:.0f} s with start and "
        f"end; seed {plan.seed}; logs in {directory}",
        flush=True,
    )
    return not verdict.failures


def report(verdict: Verdict) -> None:
    plan, recorder, judged = verdict.plan, verdict.stage.recorder, verdict.judged
    print(f"seed {plan.seed}: {plan.nodes} nodes, {plan.seconds:g} s, {plan.clients} clients")
    print(f"faults of processes: {', '.join(f'{name} {n}' for name, n in sorted(verdict.faults.items()))}")
    print("faults at edges:")
    for edge, kinds in sorted(_by_edge(verdict.network).items()):
        print(f"  {edge}: {', '.join(f'{kind} {count}' for kind, count in sorted(kinds.items()))}")
    changes, shown = recorder.history.changes, recorder.history.presentations
    print(
        f"calls: {len(changes) + len(shown)}, of them {len(changes)} changes "
        f"({sum(recorder.unanswered.values())} without an answer), {recorder.asked_again} waits asked again, "
        f"{verdict.callers.skipped} not begun, since too many were under way"
    )
    print(
        f"judged: {judged.grants} grants and {judged.refusals} refusals; {judged.undecided} times undecided, "
        f"{judged.excused} refusals of what was used elsewhere; {len(judged.violations)} violations"
    )
    if recorder.unanswered:
        [(why, times)] = recorder.unanswered.most_common(1)
        print(f"most often without an answer, {times} times: {why}")
    if recorder.seconds_to_safe:
        print(_time_to_safe(recorder.seconds_to_safe, plan.lease))
    for failure in verdict.failures[:_SHOWN]:
        print(f"FAILURE: {failure}")
    if len(verdict.failures) > _SHOWN:
        print(f"and {len(verdict.failures) - _SHOWN} more")


def _by_edge(counts: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (kind, edge), count in counts.items():
        found.setdefault(edge, {})[kind] = count
    return found


def _time_to_safe(seconds: list[float], lease: float) -> str:
    figures = sorted(seconds)
    last = figures[int(0.99 * (len(figures) - 1))]
    return (
        f"from a change's begin to its complete answer, under these faults: median "
        f"{1000 * statistics.median(figures):.0f} ms, p99 {last:.1f} s, longest {figures[-1]:.1f} s; "
        f"the lease is {lease:g} s"
    )


if __name__ == "__main__":
    sys.exit(main())
