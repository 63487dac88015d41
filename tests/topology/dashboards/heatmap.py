"""A histogram over time, as Grafana's heatmap shows it."""

from collections.abc import Sequence
from typing import Final

from tests.testkit.line_chart import BOTTOM, LEFT, RIGHT, TOP, Axes, Line, marked, time_axis

_COLOUR: Final = "#d9480f"
_LABELS: Final = 8


def heatmap(lines: Sequence[Line], axes: Axes, step: float) -> str:
    """Return SVG. ``lines``: the counts up to each bound, which is their name. ``step``: seconds between two
    points."""
    ordered = sorted(lines, key=lambda line: float(line.name))
    counts = [dict(line.points) for line in ordered]
    cells = {
        (bucket, time): count - (counts[bucket - 1].get(time, 0.0) if bucket else 0.0)
        for bucket, values in enumerate(counts)
        for time, count in values.items()
    }
    used = sorted({bucket for (bucket, _), count in cells.items() if count > 0}) or [0]
    lowest, buckets = used[0], used[-1] - used[0] + 1
    most = max(cells.values(), default=1.0) or 1.0
    across, down = axes.width - LEFT - RIGHT, axes.height - TOP - BOTTOM
    width, height = across * step / (axes.end - axes.start), down / buckets
    parts = []
    for (bucket, time), count in cells.items():
        if count > 0:
            x = LEFT + across * (time - axes.start) / (axes.end - axes.start) - width
            y = TOP + down - height * (bucket - lowest + 1)
            shape = f'x="{max(LEFT, x):.1f}" y="{y:.1f}" width="{width - 0.5:.1f}" height="{height - 1:.1f}"'
            parts.append(
                f'<rect {shape} fill="{_COLOUR}" fill-opacity="{0.12 + 0.88 * (count / most) ** 0.5:.2f}"/>'
            )
    every = -(-buckets // _LABELS)
    for bucket in range(0, buckets, every):
        label = axes.value_label(float(ordered[lowest + bucket].name))
        y = TOP + down - height * (bucket + 0.5) + 4
        parts.append(f'<text x="{LEFT - 6}" y="{y:.1f}" text-anchor="end">{label}</text>')
    size = f'width="{axes.width}" height="{axes.height}"'
    return f'<svg {size} font-size="11" fill="#4a5058">{"".join(parts)}{time_axis(axes)}{marked(axes)}</svg>'
