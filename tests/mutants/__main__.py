"""``make mutants``: faults in the code that carries the promise, and whether the tests notice them."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from tests.mutants.tree import BY_HAND, SUITES, lay
from tests.mutants.verdicts import forget_unnoticed, report


def main() -> int:
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="only these, as in 'keyturn_shared.fleet.registry.*'")
    parser.add_argument("--suite", choices=(*SUITES, BY_HAND), help="by this suite alone")
    parser.add_argument("--again", action="store_true", help="those that no test noticed, too")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--report", action="store_true", help="only say what earlier runs found")
    chosen = parser.parse_args()
    if chosen.report:
        return report(chosen.names)
    if chosen.suite in (None, BY_HAND) and not chosen.again and (failed := try_by_hand(chosen.names)):
        return failed
    for suite in [suite for suite in SUITES if chosen.suite in (None, suite)]:
        if chosen.again:
            forget_unnoticed(suite)
        run_mutmut(suite, chosen.names, chosen.processes)
    return 0 if chosen.suite == BY_HAND else report([])


def try_by_hand(names: list[str]) -> int:
    tree = lay(BY_HAND)
    environment = os.environ | {"PYTHONPATH": str(tree / "src")}
    command = [sys.executable, "-m", "tests.mutants.by_hand", *names]
    return subprocess.run(command, cwd=tree, env=environment, check=False).returncode


def run_mutmut(suite: str, names: list[str], processes: int) -> None:
    """Run mutmut. Its findings stay in the copy: an interrupted run continues where it was. It ends hanging
    mutants with signals, so it has its own session, and shows its progress in a file."""
    command = [Path(sys.executable).with_name("mutmut"), "run", "--max-children", processes, *names]
    tree = lay(suite)
    print(f"{suite}: see {tree / 'progress'}", flush=True)
    with (tree / "progress").open("w") as progress:
        subprocess.run(
            [str(part) for part in command], cwd=tree, stdout=progress, start_new_session=True, check=True
        )


if __name__ == "__main__":
    sys.exit(main())
