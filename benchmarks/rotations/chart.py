"""A chart of rotations by stage over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.chart import Axis, Line, lines, render

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
    """Write the chart as a PNG: a line for each stage."""
    series = [
        Line(
            name.replace("_", " "),
            colour,
            tuple((sample.seconds, sample.value(name)) for sample in samples),
            marked=False,
        )
        for name, colour in _COLOURS.items()
    ]
    await render({path: lines(title, "", series, Axis("seconds"), Axis("rotations"))})
