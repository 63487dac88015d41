"""The dashboards for Grafana, with the variables of their queries replaced as Grafana does."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.testkit.tools import REPOSITORY

DASHBOARDS: Final = sorted((REPOSITORY / "deploy" / "grafana").glob("*.json"))
ROW: Final = "row"
TIMESERIES: Final = "timeseries"
STAT: Final = "stat"
HEATMAP: Final = "heatmap"
TABLE: Final = "table"
_LABEL: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_ALL: Final = ".*"
"""Value of ``$instance`` when all are chosen; each dashboard says so itself."""


@dataclass(frozen=True)
class Target:
    """One query of a panel. ``legend``: text with labels in double braces."""

    expression: str
    legend: str

    @property
    def shown(self) -> frozenset[str]:
        """Return the labels that the legend shows."""
        return frozenset(_LABEL.findall(self.legend))

    def query(self, rate_interval: str) -> str:
        """Return PromQL for all instances. ``rate_interval``: such as ``1m``."""
        return self.expression.replace("$__rate_interval", rate_interval).replace("$instance", _ALL)

    def name(self, labels: dict[str, str]) -> str:
        """Return the name of a series in the legend: as in Grafana, all its labels if there is no text."""
        if not self.legend:
            return ", ".join(f"{label}={value}" for label, value in labels.items() if label != "__name__")
        return _LABEL.sub(lambda found: labels.get(found[1], ""), self.legend).strip()


@dataclass(frozen=True)
class Panel:
    """A panel, or the title of a row. ``place``: left, top, width and height in cells of the grid.
    ``document``: all of it."""

    kind: str
    title: str
    place: tuple[int, int, int, int]
    targets: Sequence[Target]
    document: dict[str, Any]

    @property
    def defaults(self) -> dict[str, Any]:
        """Return the settings of its series."""
        found: dict[str, Any] = self.document.get("fieldConfig", {}).get("defaults", {})
        return found

    @property
    def unit(self) -> str:
        return str(self.defaults.get("unit", ""))

    @property
    def when_empty(self) -> str:
        """Return what it shows when no series exists, or nothing if one always does."""
        return str(self.defaults.get("noValue", ""))


@dataclass(frozen=True)
class Dashboard:
    """``name``: that of its file, without ``.json``."""

    name: str
    title: str
    panels: Sequence[Panel]


def read_dashboard(file: Path) -> Dashboard:
    document = json.loads(file.read_text())
    return Dashboard(file.stem, document["title"], [_panel(each) for each in document["panels"]])


def read_dashboards() -> Iterator[Dashboard]:
    """Yield all of them."""
    for file in DASHBOARDS:
        yield read_dashboard(file)


def _panel(document: dict[str, Any]) -> Panel:
    at = document["gridPos"]
    return Panel(
        document["type"],
        document["title"],
        (at["x"], at["y"], at["w"], at["h"]),
        [Target(each["expr"], each["legendFormat"]) for each in document.get("targets", ())],
        document,
    )
