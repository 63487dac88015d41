"""``make topology``: restart, kill and upgrade every component of compose.yaml under load."""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final

from tests.topology.callers import Rates
from tests.topology.deployment import Deployment
from tests.topology.local_upgrade import run_local_upgrade
from tests.topology.releases import unpack_previous
from tests.topology.run import (
    KILL,
    RESTART,
    UPGRADE,
    Outcome,
    Plan,
    Result,
    Step,
    kills,
    restarts,
    run,
    run_upgrade,
)
from tests.topology.table import table

LOCAL: Final = "local upgrade"
PARTS: Final = (RESTART, KILL, UPGRADE, LOCAL)


def main() -> int:
    parser = argparse.ArgumentParser(prog="topology", description=__doc__)
    parser.add_argument("--part", action="append", choices=PARTS, help="all if not given; may be repeated")
    parser.add_argument("--seconds", type=float, default=600.0, help="for all parts together")
    parser.add_argument("--quiet", type=float, default=3.0, help="least seconds after a component is ready")
    parser.add_argument("--rate", type=float, default=1.0, help="times the usual 30 requests a second")
    chosen = parser.parse_args()
    parts = chosen.part or PARTS
    timed = max(1, len([part for part in parts if part != LOCAL]))
    plan = Plan(chosen.seconds / timed, chosen.quiet, rates=Rates().times(chosen.rate))
    begun = time.monotonic()
    results = [_run(part, plan) for part in PARTS if part in parts]
    passed = all(each.passed for each in results)
    print(f"\n{table(results)}\n{'passed' if passed else 'FAILED'} after {time.monotonic() - begun:.0f} s")
    return 0 if passed else 1


def _run(part: str, plan: Plan) -> Result:
    directory = Path(tempfile.mkdtemp(prefix=f"keyturn-topology-{part.split()[0]}-"))
    print(f"{part}: logs in {directory}", flush=True)
    if part == LOCAL:
        return _local_upgrade(directory)
    if part == UPGRADE:
        return asyncio.run(run_upgrade(directory, plan))
    return asyncio.run(run(directory, plan, _restarts if part == RESTART else _kills))


def _local_upgrade(directory: Path) -> Result:
    begun = time.monotonic()
    wrong = run_local_upgrade(directory, unpack_previous(directory))
    took = time.monotonic() - begun
    return Result([Outcome(LOCAL, "keyturn up", took, Counter(), Counter(), False, wrong, 0.0)], 0, [])


def _restarts(deployment: Deployment) -> list[Step]:
    return restarts([*deployment.services, deployment.gateway])


def _kills(deployment: Deployment) -> list[Step]:
    return kills([*deployment.services, deployment.gateway, deployment.redis, deployment.database])


if __name__ == "__main__":
    sys.exit(main())
