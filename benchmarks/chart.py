"""Charts of lines and of bars, drawn as SVG and rendered by Chromium."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

from playwright.async_api import async_playwright

from tests.testkit.chromium import unpack_chromium

WIDTH: Final = 960
_SCALE: Final = 2
"""Pixels of the image for each of the chart."""
_LINES_HEIGHT: Final = 440
_LEFT, _TOP, _RIGHT, _BOTTOM = 76, 92, 232, 56
_BARS_LEFT: Final = 200
_BAR, _BETWEEN_GROUPS = 20, 16
_CHARACTER: Final = 7.2
"""Width of a character of a label, about."""
_GRID, _INK, _PALE = "#dfe2e6", "#1f2328", "#59636e"


@dataclass(frozen=True)
class Axis:
    """``ticks``: positions to show, or none to choose round ones."""

    label: str
    logarithmic: bool = False
    ticks: tuple[float, ...] = ()


@dataclass(frozen=True)
class Line:
    """A named series of points (x, y), in any order of x."""

    name: str
    colour: str
    points: tuple[tuple[float, float], ...]
    dashed: bool = False
    marked: bool = True


@dataclass(frozen=True)
class Bar:
    name: str
    colour: str
    value: float
    label: str


@dataclass(frozen=True)
class Group:
    """Bars that are compared with each other."""

    name: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Scale:
    """A range of values along a stretch of the chart."""

    low: float
    high: float
    begin: float
    end: float
    logarithmic: bool

    def at(self, value: float) -> float:
        """Return the position of a value; those below a logarithmic scale are at its beginning."""
        if self.logarithmic:
            share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.begin + share * (self.end - self.begin)


def round_ticks(high: float) -> list[float]:
    """Return about five round values from 0 to the first that is no less than ``high``."""
    step = 10 ** math.floor(math.log10(high / 4))
    step = next(step * factor for factor in (1, 2, 2.5, 5, 10) if high / (step * factor) <= 5)
    return [step * each for each in range(math.ceil(high / step - 1e-9) + 1)]


def decade_ticks(low: float, high: float) -> list[float]:
    """Return powers of ten around the values; with 2 and 5 between them if these are few."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    last = max(last, first + 1)
    if last - first > 3:
        return [10.0**each for each in range(first, last + 1)]
    between = [factor * 10.0**each for each in range(first, last) for factor in (1, 2, 5)]
    ticks = [*between, 10.0**last]
    begin = max(place for place, tick in enumerate(ticks) if tick <= low * 1.000001)
    end = min(place for place, tick in enumerate(ticks) if tick >= high * 0.999999)
    return ticks[begin : max(end, begin + 1) + 1]


def tick_label(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:g}"


def lines(title: str, note: str, series: Sequence[Line], x: Axis, y: Axis) -> str:
    """Return a chart with a key on the right. Raises ValueError without a point."""
    points = [point for line in series for point in line.points]
    if not points:
        raise ValueError("the chart has no point")
    bottom = _LINES_HEIGHT - _BOTTOM
    across, x_ticks = _scale(x, [point[0] for point in points], _LEFT, WIDTH - _RIGHT)
    up, y_ticks = _scale(y, [point[1] for point in points], bottom, _TOP)
    drawn = []
    for tick in y_ticks:
        at = up.at(tick)
        drawn.append(_stroke(_LEFT, at, WIDTH - _RIGHT, at, _GRID))
        drawn.append(_text(_LEFT - 8, at + 4, tick_label(tick), anchor="end", colour=_PALE))
    for tick in x_ticks:
        at = across.at(tick)
        drawn.append(_stroke(at, bottom, at, bottom + 5, _PALE))
        drawn.append(_text(at, bottom + 20, tick_label(tick), anchor="middle", colour=_PALE))
    drawn.append(_stroke(_LEFT, bottom, WIDTH - _RIGHT, bottom, _PALE))
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    drawn.append(_text(middle, bottom + 42, x.label, anchor="middle", colour=_PALE))
    drawn.append(_text(16, _TOP - 18, y.label, colour=_PALE))
    for row, line in enumerate(series):
        drawn += _drawn_line(line, across, up)
        drawn += _key(line, WIDTH - _RIGHT + 20, _TOP + 8 + 24 * row)
    return _svg(title, note, drawn, _LINES_HEIGHT)


def bars(title: str, note: str, groups: Sequence[Group], axis: Axis) -> str:
    """Return a chart with horizontal bars in groups; each has its value at its end. Raises ValueError without
    a bar."""
    values = [bar.value for group in groups for bar in group.bars]
    if not values:
        raise ValueError("the chart has no bar")
    height = _TOP + sum(_BAR * len(group.bars) + _BETWEEN_GROUPS for group in groups) + _BOTTOM - 16
    bottom = height - _BOTTOM + 8
    longest = max(len(bar.label) for group in groups for bar in group.bars)
    right = WIDTH - 16 - longest * _CHARACTER
    across, ticks = _scale(axis, values, _BARS_LEFT, right)
    drawn = []
    for tick in ticks:
        at = across.at(tick)
        drawn.append(_stroke(at, _TOP - 4, at, bottom, _GRID))
        drawn.append(_text(at, bottom + 16, tick_label(tick), anchor="middle", colour=_PALE))
    drawn.append(_text((_BARS_LEFT + right) / 2, bottom + 36, axis.label, anchor="middle", colour=_PALE))
    top: float = _TOP
    for group in groups:
        middle = top + _BAR * len(group.bars) / 2
        drawn.append(_text(_BARS_LEFT - 12, middle + 4, group.name, anchor="end"))
        for bar in group.bars:
            width = across.at(bar.value) - _BARS_LEFT
            drawn.append(
                f'<rect x="{_BARS_LEFT}" y="{top + 1:.1f}" width="{width:.1f}" height="{_BAR - 3}"'
                f' fill="{bar.colour}"/>'
            )
            drawn.append(_text(_BARS_LEFT + width + 6, top + 14, bar.label))
            top += _BAR
        top += _BETWEEN_GROUPS
    return _svg(title, note, [*drawn, *_names(groups)], height)


def _scale(axis: Axis, values: Sequence[float], begin: float, end: float) -> tuple[Scale, Sequence[float]]:
    if axis.logarithmic:
        positive = [value for value in values if value > 0]
        ticks = axis.ticks or decade_ticks(min(positive), max(positive))
        low, high = min(*ticks, *positive), max(*ticks, *positive)
        return Scale(low, high if high > low else 10 * low, begin, end, logarithmic=True), ticks
    ticks = axis.ticks or round_ticks(max(values) or 1.0)
    return Scale(0.0, max(*ticks, *values), begin, end, logarithmic=False), ticks


def _drawn_line(line: Line, across: Scale, up: Scale) -> list[str]:
    places = [(across.at(x), up.at(y)) for x, y in sorted(line.points)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dashes = ' stroke-dasharray="6 4"' if line.dashed else ""
    drawn = [f'<polyline fill="none" stroke="{line.colour}" stroke-width="2"{dashes} points="{path}"/>']
    if line.marked:
        fill = "#fff" if line.dashed else line.colour
        drawn += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{fill}" stroke="{line.colour}"/>'
            for x, y in places
        ]
    return drawn


def _key(line: Line, x: float, y: float) -> list[str]:
    dashes = ' stroke-dasharray="6 4"' if line.dashed else ""
    return [
        f'<line x1="{x}" x2="{x + 26}" y1="{y}" y2="{y}" stroke="{line.colour}" stroke-width="2.5"{dashes}/>',
        _text(x + 34, y + 4, line.name),
    ]


def _names(groups: Sequence[Group]) -> list[str]:
    """Return the key of a chart with bars: each name once, in a row under the title."""
    colours = {bar.name: bar.colour for group in groups for bar in group.bars}
    drawn, x = [], float(_BARS_LEFT)
    for name, colour in colours.items():
        drawn.append(f'<rect x="{x:.0f}" y="{_TOP - 26}" width="12" height="12" fill="{colour}"/>')
        drawn.append(_text(x + 18, _TOP - 16, name))
        x += 40 + len(name) * _CHARACTER
    return drawn


def _stroke(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", colour: str = _INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'


def _svg(title: str, note: str, drawn: Sequence[str], height: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}"'
        ' font-family="sans-serif" font-size="13">'
        "<style>text { paint-order: stroke; stroke: #fff; stroke-width: 3px }</style>"
        '<rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="16" y="26" font-size="16" font-weight="bold" fill="{_INK}">{escape(title)}</text>'
        f"{_text(16, 44, note, colour=_PALE)}{''.join(drawn)}</svg>"
    )


async def render(charts: Mapping[Path, str]) -> None:
    """Write each chart as a PNG."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**unpack_chromium().launch_options)
        page = await browser.new_page(
            viewport={"width": WIDTH, "height": _LINES_HEIGHT}, device_scale_factor=_SCALE
        )
        for path, svg in charts.items():
            await page.set_content(f"<body style='margin:0'>{svg}</body>")
            await page.locator("svg").screenshot(path=str(path))
        await browser.close()
