"""The picture of a soak: a chart for each quantity, with a line for each process."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

from tests.testkit.line_chart import Axes, Line, legend, picture, plot
from tests.topology.soak.run import Results

_WIDTH: Final = 1280
_CHART_WIDTH: Final = 630
_CHART_HEIGHT: Final = 190
_GAP_SAMPLES: Final = 3
_STYLE: Final = """
h1 { font-size: 17px; margin: 12px 10px 0; }
main { display: grid; grid-template-columns: 1fr 1fr; gap: 10px; padding: 10px; }
h2 { font-size: 13px; margin: 0 0 2px 8px; }
"""


@dataclass(frozen=True)
class Chart:
    """``belongs``: tells by its name whether a series is drawn. ``cut``: what its name has in common with the
    others."""

    title: str
    belongs: Callable[[str], bool]
    cut: str = ""


def _ends(text: str) -> Callable[[str], bool]:
    return lambda name: name.endswith(f": {text}")


def _begins(*texts: str) -> Callable[[str], bool]:
    return lambda name: name.startswith(texts)


CHARTS: Final = (
    Chart("Resident memory, MiB", _ends("RSS"), ": RSS"),
    Chart("Descriptors", _ends("descriptors"), ": descriptors"),
    Chart("Requests a second; failed", _begins("requests a second", "failed")),
    Chart("Latency, ms", _begins("latency"), "latency: "),
    Chart("Redis: memory, MiB", _begins("Redis: memory", "Redis: event log", "Redis: refusals"), "Redis: "),
    Chart("Redis: keys and entries", _begins("Redis: keys", "Redis: entries"), "Redis: "),
    Chart("PostgreSQL, MiB", _begins("PostgreSQL: database", "PostgreSQL: WAL"), "PostgreSQL: "),
    Chart("Tables of PostgreSQL, MiB", _begins("PostgreSQL: table"), "PostgreSQL: table "),
    Chart("Verified tokens in memory", _ends("cached tokens"), ": cached tokens"),
    Chart("Series on the pages of metrics", _ends("series of metrics"), ": series of metrics"),
)


async def draw(results: Results, path: Path) -> None:
    """Write the picture as a PNG."""
    requests = f"{results.requests.total():,} requests in {_minutes(results.samples[-1][0])}"
    charts = "".join(_chart(chart, results) for chart in CHARTS)
    body = f"<h1>{requests}, {results.failed.total()} failed, {len(results.wrong)} wrong</h1>"
    await picture(f"{body}<main>{charts}</main>", path, width=_WIDTH, style=_STYLE)


def series_of(chart: Chart, results: Results) -> Sequence[Line]:
    """Return the lines of a chart, by name."""
    names = sorted({name for _, values in results.samples for name in values if chart.belongs(name)})
    return [
        Line(
            name.replace(chart.cut, ""),
            [(at, values[name]) for at, values in results.samples if name in values],
        )
        for name in names
    ]


def _chart(chart: Chart, results: Results) -> str:
    lines, end = series_of(chart, results), results.samples[-1][0]
    axes = Axes(
        width=_CHART_WIDTH,
        height=_CHART_HEIGHT,
        start=0.0,
        end=end,
        time_label=_minutes,
        value_label=lambda value: f"{value:,.6g}",
        longest_gap=_GAP_SAMPLES * end / len(results.samples),
        least=0.0,
    )
    return f"<section><h2>{escape(chart.title)}</h2>{plot(lines, axes)}{legend(lines)}</section>"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"
