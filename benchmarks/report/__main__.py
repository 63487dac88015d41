"""Run the benchmarks one after the other, and write what they measured: results, tables and charts.

    python -m benchmarks.report [--quick] [--only NAME ...] [--into DIRECTORY]

Results go to ``benchmarks/results``, tables into the marked parts of ``docs/performance.md``, and charts into
``docs/images``; with ``--into``, all of this goes to a copy in that directory, and nothing here changes. The
figures are only worth something if nothing else runs on the machine. A benchmark that fails is named at the
end, and its former table stays; the exit code is then 1. ``--stored`` measures nothing and writes tables and
charts of the stored results.
"""

import argparse
import asyncio
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Error as PlaywrightError

from benchmarks.chart import render
from benchmarks.report.charts import CHARTS
from benchmarks.report.page import PageError, replace_part
from benchmarks.report.plan import BY_NAME
from benchmarks.report.running import BenchmarkError, run
from benchmarks.report.tables import part as part_of
from benchmarks.results import DIRECTORY, Results, ResultsError, read, write
from tests.testkit.tools import REPOSITORY, ToolError


@dataclass(frozen=True)
class Places:
    results: Path
    page: Path
    images: Path

    @classmethod
    def of_repository(cls) -> "Places":
        docs = REPOSITORY / "docs"
        return cls(DIRECTORY, docs / "performance.md", docs / "images")

    @classmethod
    def copied_to(cls, directory: Path) -> "Places":
        """Copy results and page there, unless an earlier report did."""
        original = cls.of_repository()
        own = cls(directory / "results", directory / "performance.md", directory / "images")
        own.images.mkdir(parents=True, exist_ok=True)
        if not own.page.exists():
            shutil.copy(original.page, own.page)
            shutil.copytree(original.results, own.results, dirs_exist_ok=True)
        return own


def draw_charts(places: Places, new: dict[str, Results]) -> None:
    """Write every chart that needs one of the new results and has all that it needs."""
    known = {path.stem: read(path) for path in sorted(places.results.glob("*.json"))}
    drawn = {
        name: chart
        for name, chart in CHARTS.items()
        if known.keys() >= set(chart.needs) and not new.keys().isdisjoint(chart.needs)
    }
    if drawn:
        asyncio.run(render({places.images / name: chart.draw(known) for name, chart in drawn.items()}))


def write_tables(places: Places, new: dict[str, Results]) -> None:
    """Write the tables of new results into the page, with the charts that are there."""
    page = places.page.read_text()
    for name, results in new.items():
        images = [
            f"![{chart.text}](images/{file})"
            for file, chart in CHARTS.items()
            if chart.needs[0] == name and (places.images / file).exists()
        ]
        page = replace_part(page, name, "\n\n".join([part_of(results), *images]))
    places.page.write_text(page)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short rounds: to try it out, not for the page")
    parser.add_argument("--only", choices=BY_NAME, nargs="+", metavar="NAME", help=", ".join(BY_NAME))
    parser.add_argument("--into", type=Path, metavar="DIRECTORY", help="write there instead")
    parser.add_argument("--stored", action="store_true", help="of results that are there, without measuring")
    chosen = parser.parse_args()
    places = Places.copied_to(chosen.into) if chosen.into else Places.of_repository()
    new: dict[str, Results] = {}
    failures: dict[str, str] = {}
    for name in chosen.only or BY_NAME:
        stored = places.results / f"{name}.json"
        if chosen.stored and not stored.exists():
            continue
        try:
            new[name] = read(stored) if chosen.stored else run(BY_NAME[name], quick=chosen.quick)
        except (BenchmarkError, ResultsError) as error:
            failures[name] = str(error)
            print(f"== {name} {error}\n", file=sys.stderr, flush=True)
            continue
        write(stored, new[name])
    for part, make in (("charts", draw_charts), ("tables", write_tables)):
        try:
            make(places, new)
        except (ToolError, PlaywrightError, ResultsError, PageError) as error:
            failures[part] = f"could not be made: {error}"
    print(f"{len(new)} benchmarks in {places.page}")
    for name, failure in failures.items():
        print(f"{name} {failure}; what was there before stays")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
