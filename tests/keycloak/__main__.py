"""``make keycloak-diff``: the same requests to a real Keycloak and to keyturn.

Every difference between the answers is in a class that is on purpose (``classes.toml``), or the run fails.
With ``--write``, the counts and classes are written into docs/keycloak-differences.md.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from tests.keycloak.comparing import class_of, load_classes
from tests.keycloak.page import PAGE, page
from tests.keycloak.results import Result, run
from tests.keycloak.scenarios import AREAS, all_scenarios
from tests.keycloak.setting_up import set_up
from tests.keycloak.world import World
from tests.testkit.keycloak import RunningKeycloak
from tests.testkit.local_stack import RunningStack


def main() -> int:
    parser = argparse.ArgumentParser(prog="keycloak-diff", description=__doc__)
    parser.add_argument(
        "--area", action="append", choices=list(AREAS), help="all if not given; may be repeated"
    )
    parser.add_argument(
        "--write", action="store_true", help="write the page with the result; of all areas only"
    )
    parser.add_argument("--keep", type=Path, help="a file for what the run showed")
    parser.add_argument("--kept", type=Path, help="class what an earlier run showed, in place of a new one")
    chosen = parser.parse_args()
    if chosen.write and chosen.area:
        parser.error("the page is about all areas")
    begun = time.monotonic()
    if chosen.kept:
        results = msgspec.json.decode(chosen.kept.read_bytes(), type=list[Result])
    else:
        with tempfile.TemporaryDirectory(prefix="keyturn-keycloak-") as directory:
            results = _compare(Path(directory), chosen.area or list(AREAS))
    if chosen.keep:
        chosen.keep.write_bytes(msgspec.json.encode(results))
    classes = load_classes()
    unclassed = [each for result in results for each in result.differences if class_of(each, classes) is None]
    for difference in unclassed:
        print(f"DIFFERENCE: {difference}")
    unused = _unused(results) if not chosen.area else []
    for name in unused:
        print(f"UNUSED: no difference is of the class {name!r} any more")
    if chosen.write:
        PAGE.write_text(page(results, classes))
    requests = sum(result.requests for result in results)
    equal = sum(not result.differences for result in results)
    print(
        f"{len(results)} scenarios, {requests} requests to each; {equal} equal,"
        f" {len(unclassed)} differences not on purpose; {time.monotonic() - begun:.0f} s"
    )
    return 1 if unclassed or unused else 0


def _compare(directory: Path, areas: list[str]) -> list[Result]:
    scenarios = {area: each for area, each in all_scenarios().items() if area in areas}
    with (
        RunningKeycloak(directory) as server,
        RunningStack(directory / "stack", "--no-demo", nodes=1) as stack,
    ):
        stack.start()
        keycloak = World("Keycloak", server.base_url, server.admin)
        keyturn = World("keyturn", stack.base_url, stack.local["admin"])
        set_up(keycloak, keyturn)
        return run(keycloak, keyturn, scenarios)


def _unused(results: list[Result]) -> list[str]:
    classes = load_classes()
    found = {class_of(each, classes) for result in results for each in result.differences}
    return [each.name for each in classes if each not in found]


if __name__ == "__main__":
    sys.exit(main())
