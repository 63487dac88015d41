"""A dashboard as a picture, laid out as Grafana lays it out."""

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Final

from tests.testkit.dashboards import HEATMAP, ROW, STAT, TABLE, TIMESERIES, Dashboard, Panel
from tests.testkit.line_chart import Axes, colour, legend, picture, plot
from tests.topology.dashboards.evaluation import Shown, Times
from tests.topology.dashboards.heatmap import heatmap
from tests.topology.dashboards.units import written

_COLUMN: Final = 60
_ROW: Final = 34
_GAP: Final = 8
_COLUMNS: Final = 24
_TITLE_HEIGHT: Final = 22
_LEGEND_ROW: Final = 17
_LEGEND_WIDTH: Final = 7.0
_LEGEND_ROWS: Final = 3
_GAP_STEPS: Final = 3
_RIGHT: Final = 300
"""Pixels of a legend beside its chart."""
_COLOURS: Final = {"green": "#2f7d32", "yellow": "#b8860b", "red": "#b3261e"}
_STYLE: Final = f"""
body {{ background: #f4f5f7; }}
header {{ padding: 12px 14px 0; }}
h1 {{ font-size: 18px; margin: 0; }}
header p {{ margin: 4px 0 0; color: #4a5058; }}
main {{ display: grid; padding: 10px; gap: {_GAP}px; grid-auto-rows: {_ROW - _GAP}px;
  grid-template-columns: repeat({_COLUMNS}, {_COLUMN - _GAP}px); }}
section {{ background: #fff; border: 1px solid #dcdfe4; border-radius: 3px; overflow: hidden; }}
section.row {{ background: none; border: none; font-weight: bold; font-size: 15px; }}
h2 {{ font-size: 13px; margin: 3px 8px 0; height: {_TITLE_HEIGHT - 3}px; white-space: nowrap; }}
.stat {{ text-align: center; font-size: 34px; line-height: 90px; }}
.empty {{ text-align: center; color: #6b727b; padding-top: 70px; }}
.stat.empty {{ font-size: 16px; padding: 0; }}
ul.legend {{ max-height: {_LEGEND_ROWS * _LEGEND_ROW}px; overflow: hidden; }}
.beside {{ display: flex; }}
.beside svg {{ flex: none; }}
.beside table {{ width: auto; margin: 0; }}
.beside td {{ font-size: 11px; padding: 0 4px; white-space: nowrap; }}
table {{ margin: 0 8px; border-collapse: collapse; width: 95%; }}
td {{ border-bottom: 1px solid #e3e6ea; padding: 2px 4px; }}
"""


async def draw(
    dashboard: Dashboard,
    shown: Sequence[Shown],
    times: Times,
    events: Sequence[tuple[float, str]],
    path: Path,
) -> None:
    """Write the picture as a PNG. ``events``: what happened, with its Unix time."""
    told = " ".join(f"<b>{number}</b> {escape(text)}." for number, (_, text) in enumerate(events, 1))
    marks = [at for at, _ in events]
    panels = "".join(_panel(each, times, marks) for each in shown)
    body = f"<header><h1>{escape(dashboard.title)}</h1><p>{told}</p></header><main>{panels}</main>"
    await picture(body, path, width=_COLUMN * _COLUMNS + 2 * _GAP, style=_STYLE)


def _panel(shown: Shown, times: Times, marks: Sequence[float]) -> str:
    panel = shown.panel
    left, top, width, height = panel.place
    place = f"grid-area: {top + 1} / {left + 1} / span {height} / span {width}"
    if panel.kind == ROW:
        return f'<section class="row" style="{place}">{escape(panel.title)}</section>'
    return f'<section style="{place}"><h2>{escape(panel.title)}</h2>{_content(shown, times, marks)}</section>'


def _content(shown: Shown, times: Times, marks: Sequence[float]) -> str:
    panel = shown.panel
    stat = "stat " if panel.kind == STAT else ""
    if not shown.lines:
        return f'<div class="{stat}empty">{escape(panel.when_empty or "No data")}</div>'
    return {STAT: _stat, TABLE: _table, TIMESERIES: _timeseries, HEATMAP: _heatmap}[panel.kind](
        shown, times, marks
    )


def _stat(shown: Shown, _times: Times, _marks: Sequence[float]) -> str:
    value = shown.lines[0].points[-1][1]
    text = mapped(shown.panel, value) or written(value, shown.panel.unit)
    return f'<div class="stat" style="color: {_colour(shown.panel, value)}">{escape(text)}</div>'


def mapped(panel: Panel, value: float) -> str:
    """Return the text that a panel has for a value, if it has one."""
    for mapping in panel.defaults.get("mappings", ()):
        found = mapping["options"].get(f"{value:g}")
        if found:
            return str(found["text"])
    return ""


def _colour(panel: Panel, value: float) -> str:
    found = "black"
    for step in panel.defaults.get("thresholds", {}).get("steps", ()):
        if step["value"] is None or value >= step["value"]:
            found = _COLOURS[step["color"]]
    return found


def _table(shown: Shown, _times: Times, _marks: Sequence[float]) -> str:
    rows = "".join(
        f"<tr><td>{escape(line.name)}</td><td>{mapped(shown.panel, value) or f'{value:g}'}</td></tr>"
        for line in shown.lines
        for _, value in line.points
    )
    return f"<table>{rows}</table>"


def _timeseries(shown: Shown, times: Times, marks: Sequence[float]) -> str:
    panel = shown.panel
    custom = panel.defaults["custom"]
    if panel.document["options"]["legend"]["placement"] == "right":
        axes = replace(_axes(panel, times, marks, 0), width=panel.place[2] * _COLUMN - _GAP - 2 - _RIGHT)
        return f'<div class="beside">{plot(shown.lines, axes)}{_values(shown)}</div>'
    rows = sum(len(line.name) * _LEGEND_WIDTH + 33 for line in shown.lines) / (panel.place[2] * _COLUMN)
    axes = _axes(panel, times, marks, min(_LEGEND_ROWS, math.ceil(rows)))
    stacked, filled = custom["stacking"]["mode"] == "normal", custom["fillOpacity"] > 0
    return plot(shown.lines, axes, stacked=stacked, filled=filled) + legend(shown.lines)


def _values(shown: Shown) -> str:
    """Return a legend as a table with the last value of each line, the greatest first."""
    numbered = sorted(enumerate(shown.lines), key=lambda each: each[1].points[-1][1], reverse=True)
    rows = "".join(
        f'<tr><td style="color: {colour(number)}">{escape(line.name)}</td>'
        f"<td>{written(line.points[-1][1], shown.panel.unit)}</td></tr>"
        for number, line in numbered
    )
    return f"<table>{rows}</table>"


def _heatmap(shown: Shown, times: Times, marks: Sequence[float]) -> str:
    unit = shown.panel.document["options"]["yAxis"]["unit"]
    return heatmap(shown.lines, _axes(shown.panel, times, marks, 0, unit), times.step)


def _axes(panel: Panel, times: Times, marks: Sequence[float], legend_rows: int, unit: str = "") -> Axes:
    _, _, width, height = panel.place
    return Axes(
        width=width * _COLUMN - _GAP - 2,
        height=height * _ROW - _GAP - _TITLE_HEIGHT - legend_rows * _LEGEND_ROW - 8,
        start=times.start,
        end=times.end,
        time_label=lambda at: time.strftime("%H:%M:%S", time.gmtime(at)),
        value_label=lambda value: written(value, unit or panel.unit),
        longest_gap=_GAP_STEPS * times.step,
        least=panel.defaults.get("min"),
        greatest=panel.defaults.get("max"),
        marks=marks,
    )
