"""``make engines``: PostgreSQL, Redis Cluster and Sentinel fail under load through nginx."""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.engines.engine import UnknownFaultError
from tests.engines.judging import Report
from tests.engines.load import ENDED
from tests.engines.run import ENGINES, Plan, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="engines", description=__doc__)
    parser.add_argument(
        "--engine", action="append", choices=ENGINES, help="all if not given; may be repeated"
    )
    parser.add_argument(
        "--fault", action="append", default=[], help="by name, of the engines chosen; all if not given"
    )
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--quiet", type=float, default=5.0, help="seconds without a refusal that end a fault")
    parser.add_argument(
        "--busy", action="store_true", help="for a busy machine: print what took too long, and judge the rest"
    )
    chosen = parser.parse_args()
    failed = False
    for engine in chosen.engine or ENGINES:
        directory = Path(tempfile.mkdtemp(prefix=f"keyturn-engines-{engine}-"))
        begun = time.monotonic()
        plan = Plan(engine, chosen.fault, nodes=chosen.nodes, quiet=chosen.quiet)
        try:
            reports = asyncio.run(run(directory, plan))
        except UnknownFaultError as error:
            parser.error(str(error))
        for each in reports:
            show(each)
            failed |= bool(each.failures or (each.late and not chosen.busy))
        print(
            f"{engine}: {time.monotonic() - begun:.0f} s with start and end; logs in {directory}", flush=True
        )
    print("FAILED" if failed else "passed")
    return 1 if failed else 0


def show(report: Report) -> None:
    print(f"\n{report.engine}: {report.fault}; away for {report.away:.1f} s, {report.outages} times")
    if report.resumed is not None:
        print(f"  changes accepted {report.resumed:.1f} s after the name led to the new primary")
    for name, kind in report.kinds.items():
        counts = ", ".join(
            f"{status or 'no answer'}: {count}" for status, count in sorted(kind.statuses.items())
        )
        refused = "all refused           " if name == ENDED else f"refused {kind.refused:5.1f} s at most"
        print(f"  {name:17} {refused}, slowest {kind.slowest:5.1f} s; {counts}")
    for line in report.failures:
        print(f"  FAILURE: {line}")
    for line in report.late:
        print(f"  LATE: {line}")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
