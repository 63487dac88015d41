"""A chart of rotations by stage over time, drawn as SVG and rendered by Chromium."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.testkit.line_chart import picture

WIDTH: Final = 960
HEIGHT: Final = 420
_LEFT, _TOP, _RIGHT, _BOTTOM = 60, 50, 190, 40
_COLOURS: Final = {
    "planned": "#8a8f98",
    "prepared": "#c77700",
    "delivered": "#7a3fc4",
    "in_use": "#0b6bcb",
    "retired": "#b3261e",
    "done, in all": "#1a7f37",
    "refused requests": "#000000",
}


@dataclass(frozen=True)
class Sample:
    """A moment. ``stages``: open rotations by state. ``done``: in all so far. ``refused``: valid requests."""

    seconds: float
    stages: dict[str, int]
    done: int
    refused: int

    def value(self, name: str) -> int:
        if name == "done, in all":
            return self.done
        return self.refused if name == "refused requests" else self.stages.get(name, 0)


async def draw(samples: Sequence[Sample], path: Path, title: str) -> None:
    """Write the chart as a PNG."""
    await picture(svg(samples, title), path, width=WIDTH)


def svg(samples: Sequence[Sample], title: str) -> str:
    """Return the chart: a line for each stage."""
    longest = max(sample.seconds for sample in samples)
    most = max(1, *(sample.value(name) for sample in samples for name in _COLOURS))
    across, down = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM

    def point(sample: Sample, name: str) -> str:
        x = _LEFT + across * sample.seconds / longest
        return f"{x:.1f},{_TOP + down * (1 - sample.value(name) / most):.1f}"

    lines, keys = [], []
    for row, (name, colour) in enumerate(_COLOURS.items()):
        points = " ".join(point(sample, name) for sample in samples)
        lines.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{points}"/>')
        y = _TOP + 20 + 24 * row
        keys.append(
            f'<rect x="{WIDTH - _RIGHT + 20}" y="{y - 9}" width="14" height="4" fill="{colour}"/>'
            f'<text x="{WIDTH - _RIGHT + 42}" y="{y}">{name.replace("_", " ")}</text>'
        )
    axis = []
    for part in (0, 0.25, 0.5, 0.75, 1):
        height = _TOP + down * (1 - part)
        axis.append(f'<text x="{_LEFT - 8}" y="{height + 4:.0f}" text-anchor="end">{most * part:.0f}</text>')
        axis.append(
            f'<line x1="{_LEFT}" x2="{_LEFT + across}" y1="{height:.1f}" y2="{height:.1f}" stroke="#ddd"/>'
        )
    axis += [
        f'<text x="{_LEFT + across * part:.0f}" y="{_TOP + down + 22}" text-anchor="middle">'
        f"{longest * part:.0f} s</text>"
        for part in (0, 0.25, 0.5, 0.75, 1)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}"'
        ' font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="{_LEFT}" y="28" font-size="16" font-weight="bold">{title}</text>'
        f"{''.join([*axis, *lines, *keys])}</svg>"
    )
