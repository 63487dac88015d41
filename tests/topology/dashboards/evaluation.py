"""Each panel with its data, as Grafana would ask Prometheus for it."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.testkit.dashboards import ROW, STAT, TABLE, Dashboard, Panel
from tests.testkit.line_chart import Line
from tests.topology.dashboards.prometheus import Prometheus

_LONGEST_RANGE = 600
"""Points of a series at most, as of a panel that is half a screen wide."""


@dataclass(frozen=True)
class Times:
    """The range of a dashboard, in Unix seconds. ``scrape``: seconds between two scrapes."""

    start: float
    end: float
    scrape: int

    @property
    def step(self) -> int:
        return max(self.scrape, round((self.end - self.start) / _LONGEST_RANGE))

    @property
    def rate_interval(self) -> str:
        """Return Grafana's ``$__rate_interval``: always at least four scrapes."""
        return f"{max(self.step + self.scrape, 4 * self.scrape)}s"


@dataclass(frozen=True)
class Shown:
    """A panel and its series. Those of a stat or a table have one point."""

    panel: Panel
    lines: Sequence[Line]

    @property
    def missing(self) -> bool:
        """Return whether it has no data, and does not say that this is normal."""
        return not self.lines and self.panel.kind != ROW and not self.panel.when_empty


async def evaluate(prometheus: Prometheus, dashboard: Dashboard, times: Times) -> list[Shown]:
    """Evaluate all queries of a dashboard."""
    return list(await asyncio.gather(*(_evaluate(prometheus, panel, times) for panel in dashboard.panels)))


def complaints(dashboard: Dashboard, shown: Sequence[Shown]) -> Iterator[str]:
    """Yield the faults of a dashboard: panels without data, and lines that a legend cannot tell apart."""
    for each in shown:
        title = f"{dashboard.name}: {each.panel.title}"
        if each.missing:
            yield f"{title}: no data"
        names = [line.name for line in each.lines]
        if each.panel.kind != STAT and len(set(names)) < len(names):
            yield f"{title}: {len(names)} lines with {len(set(names))} names"
        if any(not name for name in names) and each.panel.kind not in (STAT, TABLE):
            yield f"{title}: a line without a name"


async def _evaluate(prometheus: Prometheus, panel: Panel, times: Times) -> Shown:
    lines = []
    for target in panel.targets:
        query = target.query(times.rate_interval)
        if panel.kind in (STAT, TABLE):
            found = await prometheus.instant(query, times.end)
        else:
            found = await prometheus.range(query, times.start, times.end, times.step)
        lines += [Line(target.name(each.labels), each.points) for each in found]
    return Shown(panel, lines)
