"""Line charts as SVG with their legends as HTML, and pages of them as pictures."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Final

from playwright.async_api import async_playwright

from tests.testkit.chromium import unpack_chromium

_COLOURS: Final = (
    *("#2f7d32", "#b8860b", "#1f66b5", "#c4501b", "#b3261e", "#7a3fc4", "#0f8b8d", "#a0308a"),
    *("#6b8e23", "#5b6b7a", "#d4a017", "#4c9be8", "#e07b54", "#8c564b", "#17becf", "#555555"),
)
LEFT: Final = 72
TOP: Final = 12
RIGHT: Final = 10
BOTTOM: Final = 24
"""Pixels around what a chart shows, for its labels."""
_VALUE_TICKS: Final = 5
_STYLE: Final = """
body { margin: 0; background: #fff; color: #1c1f23; font: 13px sans-serif; }
svg { display: block; }
ul.legend { display: flex; flex-wrap: wrap; gap: 2px 14px; margin: 2px 8px 0; padding: 0; list-style: none; }
ul.legend li { font-size: 12px; white-space: nowrap; }
ul.legend i { display: inline-block; width: 14px; height: 4px; margin-right: 5px; vertical-align: middle; }
"""


@dataclass(frozen=True)
class Line:
    """``points``: times in seconds and values, by time."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Axes:
    """``width``, ``height``: in pixels. ``start``, ``end``: in seconds. ``longest_gap``: between two points
    that are joined. ``least``, ``greatest``: of the values that the axis shows, if they are fixed. ``marks``:
    times of events, which are numbered from 1."""

    width: int
    height: int
    start: float
    end: float
    time_label: Callable[[float], str]
    value_label: Callable[[float], str]
    longest_gap: float
    least: float | None = None
    greatest: float | None = None
    marks: Sequence[float] = ()

    def across(self, time: float) -> float:
        """Return the pixel of a time."""
        return LEFT + (self.width - LEFT - RIGHT) * (time - self.start) / ((self.end - self.start) or 1.0)


def colour(number: int) -> str:
    """Return the colour of the line with this number."""
    return _COLOURS[number % len(_COLOURS)]


def plot(lines: Sequence[Line], axes: Axes, *, stacked: bool = False, filled: bool = False) -> str:
    """Return the chart as SVG."""
    below, drawn = stack(lines) if stacked else ([Line("", ())] * len(lines), list(lines))
    values = [value for line in drawn for _, value in line.points if math.isfinite(value)]
    bottom = min(values, default=0.0) if axes.least is None else axes.least
    top = max(values, default=1.0) if axes.greatest is None else axes.greatest
    if top <= bottom:
        top = bottom + (abs(bottom) or 1.0)
    across, down = axes.width - LEFT - RIGHT, axes.height - TOP - BOTTOM

    def height(value: float) -> float:
        return TOP + down * (1 - (min(value, top) - bottom) / (top - bottom))

    parts = []
    for value in ticks(bottom, top, _VALUE_TICKS):
        y = height(value)
        parts.append(f'<line x1="{LEFT}" x2="{LEFT + across}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e3e6ea"/>')
        parts.append(
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{axes.value_label(value)}</text>'
        )
    for number, (line, under) in enumerate(zip(drawn, below, strict=True)):
        beneath = dict(under.points)
        for piece in pieces(line.points, axes.longest_gap):
            points = [f"{axes.across(time):.1f},{height(value):.1f}" for time, value in piece]
            if filled:
                back = [
                    f"{axes.across(time):.1f},{height(beneath.get(time, bottom)):.1f}"
                    for time, _ in reversed(piece)
                ]
                shape = " ".join([*points, *back])
                parts.append(f'<polygon fill="{colour(number)}" fill-opacity="0.25" points="{shape}"/>')
            if len(piece) == 1:
                x, _, below_top = points[0].partition(",")
                parts.append(f'<circle cx="{x}" cy="{below_top}" r="2" fill="{colour(number)}"/>')
            stroke = f'stroke="{colour(number)}" stroke-width="1.5"'
            parts.append(f'<polyline fill="none" {stroke} points="{" ".join(points)}"/>')
    size = f'width="{axes.width}" height="{axes.height}"'
    return f'<svg {size} font-size="11" fill="#4a5058">{"".join(parts)}{time_axis(axes)}{marked(axes)}</svg>'


def time_axis(axes: Axes) -> str:
    """Return five times below the chart."""
    labels = []
    for part in (0, 0.25, 0.5, 0.75, 1):
        time = axes.start + (axes.end - axes.start) * part
        anchor = "start" if part == 0 else "end" if part == 1 else "middle"
        place = f'x="{axes.across(time):.1f}" y="{axes.height - 6}" text-anchor="{anchor}"'
        labels.append(f"<text {place}>{axes.time_label(time)}</text>")
    return "".join(labels)


def marked(axes: Axes) -> str:
    """Return a numbered line for each event."""
    lines = []
    for number, time in enumerate(axes.marks, 1):
        x = f"{axes.across(time):.1f}"
        dashes = 'stroke="#8a8f98" stroke-dasharray="2 3"'
        lines.append(f'<line x1="{x}" x2="{x}" y1="{TOP}" y2="{axes.height - BOTTOM}" {dashes}/>')
        lines.append(f'<text x="{x}" y="{TOP - 2}" text-anchor="middle" font-size="10">{number}</text>')
    return "".join(lines)


def legend(lines: Sequence[Line]) -> str:
    """Return the names of the lines beside their colours, as HTML."""
    keys = (
        f'<li><i style="background: {colour(number)}"></i>{escape(line.name)}</li>'
        for number, line in enumerate(lines)
    )
    return f'<ul class="legend">{"".join(keys)}</ul>'


def pieces(
    points: Sequence[tuple[float, float]], longest_gap: float
) -> Iterator[Sequence[tuple[float, float]]]:
    """Yield the parts of a line between its gaps; a value that is no number is a gap."""
    finite = [point for point in points if math.isfinite(point[1])]
    cuts = [number for number, (a, b) in enumerate(pairwise(finite), 1) if b[0] - a[0] > longest_gap]
    for begin, end in pairwise([0, *cuts, len(finite)]):
        if begin < end:
            yield finite[begin:end]


def stack(lines: Sequence[Line]) -> tuple[list[Line], list[Line]]:
    """Return for each line the sum of those before it, and that sum with the line."""
    sums = dict[float, float]()
    below, above = [], []
    for line in lines:
        below.append(Line(line.name, [(time, sums.get(time, 0.0)) for time, _ in line.points]))
        for time, value in line.points:
            sums[time] = sums.get(time, 0.0) + (value if math.isfinite(value) else 0.0)
        above.append(Line(line.name, [(time, sums[time]) for time, _ in line.points]))
    return below, above


def ticks(bottom: float, top: float, most: int) -> list[float]:
    """Return round values between two values, about as many as ``most`` and no more than one more."""
    raw = (top - bottom) / most
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= raw * 0.999)
    first = math.ceil(bottom / step - 1e-9)
    return [number * step for number in range(first, math.floor(top / step + 1e-9) + 1)]


async def picture(body: str, path: Path, *, width: int, style: str = "") -> None:
    """Write a page of HTML as a PNG of this width, as high as it is."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**unpack_chromium().launch_options)
        page = await browser.new_page(viewport={"width": width, "height": 100})
        await page.set_content(f"<style>{_STYLE}{style}</style>{body}")
        await page.screenshot(path=str(path), full_page=True)
        await browser.close()
