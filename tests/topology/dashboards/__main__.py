"""``make dashboards``: draw every dashboard with the data of a deployment to which something happens."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.testkit.chromium import unpack_chromium
from tests.testkit.dashboards import ROW
from tests.topology.dashboards.drawing import draw
from tests.topology.dashboards.evaluation import complaints
from tests.topology.dashboards.run import Outcome, Plan, run

IMAGES: Final = Path("dashboards")


def main() -> int:
    parser = argparse.ArgumentParser(prog="dashboards", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--scrape", type=int, default=10, help="seconds between two scrapes; shipped is 10")
    parser.add_argument("--images", type=Path, default=IMAGES, help="directory; default: %(default)s")
    chosen = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="keyturn-dashboards-"))
    print(f"logs in {directory}", flush=True)
    unpack_chromium()  # a run of minutes does not end without its pictures
    outcome = asyncio.run(run(directory, Plan(chosen.seconds, chosen.scrape)))
    found = report(outcome)
    chosen.images.mkdir(exist_ok=True)
    asyncio.run(_draw(outcome, chosen.images))
    for line in found:
        print(f"WRONG: {line}")
    return 1 if found else 0


def report(outcome: Outcome) -> list[str]:
    """Print the panels that are empty, with what they say then; return the faults of all dashboards."""
    found: list[str] = []
    for dashboard, shown in outcome.shown:
        panels = [each for each in shown if each.panel.kind != ROW]
        filled = [each for each in panels if each.lines]
        print(f"{dashboard.title}: {len(filled)} of {len(panels)} panels have data")
        for each in panels:
            if not each.lines and each.panel.when_empty:
                print(f"  {each.panel.title}: {each.panel.when_empty}")
        found += complaints(dashboard, shown)
    return found


async def _draw(outcome: Outcome, images: Path) -> None:
    for dashboard, shown in outcome.shown:
        await draw(dashboard, shown, outcome.times, outcome.events, images / f"{dashboard.name}.png")


if __name__ == "__main__":
    sys.exit(main())
