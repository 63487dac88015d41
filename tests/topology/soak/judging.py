"""Judgement of what was sampled: each series is flat, or grows no more than its rule allows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

HOUR: Final = 3600.0
HEAD: Final = "event log: head"
"""Series of the number of the newest event, by which logs are judged."""


@dataclass(frozen=True)
class Trend:
    """A series after the warm-up: the means of its first and last quarter, its slope per hour by least
    squares, and its greatest value."""

    first: float
    last: float
    slope: float
    greatest: float


class Rule(Protocol):
    """Bound of the growth of a series. Its text says what is allowed."""

    def holds(self, trend: Trend, events: float) -> bool:
        """Return whether the growth is allowed. ``events``: those published per hour."""
        ...


@dataclass(frozen=True)
class Flat:
    """Growth per hour of at most ``share`` of the first quarter's mean, or ``least`` where that is more."""

    share: float
    least: float

    def holds(self, trend: Trend, events: float) -> bool:
        return trend.slope <= max(self.share * trend.first, self.least)

    def __str__(self) -> str:
        return f"slope <= {self.share:.0%} or {self.least:g}"


@dataclass(frozen=True)
class PerEvent:
    """Growth of a log by at most ``most`` per event."""

    most: float

    def holds(self, trend: Trend, events: float) -> bool:
        return trend.slope <= self.most * events

    def __str__(self) -> str:
        return f"slope <= {self.most:g} an event"


@dataclass(frozen=True)
class AtMost:
    """No value above ``most``."""

    most: float

    def holds(self, trend: Trend, events: float) -> bool:
        return trend.greatest <= self.most

    def __str__(self) -> str:
        return f"never over {self.most:g}"


@dataclass(frozen=True)
class Shown:
    """No bound: the series only explains others."""

    def holds(self, trend: Trend, events: float) -> bool:
        return True

    def __str__(self) -> str:
        return "shown only"


_KIB: Final = 1 / 1024
_RULES: Final[Sequence[tuple[str, Rule]]] = (
    (HEAD, Shown()),
    ("failed requests", AtMost(0)),
    ("requests a second", Shown()),
    ("calls left out", Shown()),
    ("latency", Shown()),
    # Pools open another connection when many requests come at once: each is a backend of PostgreSQL with
    # about 11 MiB, mostly libraries, and 60 files. A leak by each passing client makes 720 an hour.
    ("PostgreSQL: RSS", Flat(0.1, 60)),
    ("PostgreSQL: descriptors", Flat(0.15, 300)),
    ("RSS", Flat(0.05, 8)),
    ("descriptors", Flat(0.1, 60)),
    ("threads", Flat(0.1, 8)),
    # An endpoint that is asked for the first time has 16.
    ("series of metrics", Flat(0.02, 60)),
    ("cached states", Flat(0.05, 20)),
    ("cached tokens", Flat(0.05, 200)),
    ("Redis: memory without the logs", Flat(0.05, 0.5)),
    ("Redis: refusals", AtMost(6)),
    ("Redis: event log", PerEvent(2 * _KIB)),
    ("Redis: entries of the event log", PerEvent(1.05)),
    ("Redis: keys", Flat(0.05, 100)),
    ("PostgreSQL: WAL", AtMost(1100)),
    ("PostgreSQL: database", PerEvent(8 * _KIB)),
    ("PostgreSQL: table events", PerEvent(3 * _KIB)),
    ("PostgreSQL: table audit", PerEvent(3 * _KIB)),
    # It keeps a mark of a deleted client as long as its event.
    ("PostgreSQL: table projections", PerEvent(1 * _KIB)),
    ("PostgreSQL: table ", Flat(0.1, 0.5)),
)
"""Rules by the beginning of a series' name, or by its end; the first one counts. Memory is in MiB."""


@dataclass(frozen=True)
class Judgement:
    """A series, its trend, and whether its rule holds."""

    name: str
    trend: Trend
    rule: Rule
    holds: bool


def rule_of(name: str) -> Rule:
    """Return the rule of a series. Raises LookupError if there is none."""
    for part, rule in _RULES:
        if name.startswith(part) or name.endswith(part):
            return rule
    raise LookupError(f"no rule judges {name}")


def judge(samples: Sequence[tuple[float, Mapping[str, float]]], warm_up: float) -> list[Judgement]:
    """Judge every series. ``samples``: seconds since the start, and the values by series; those before
    ``warm_up`` do not count. A value that one sample lacks is left out there."""
    judged = [(at, values) for at, values in samples if at >= warm_up]
    names = sorted({name for _, values in judged for name in values})
    trends = {
        name: trend_of([(at, values[name]) for at, values in judged if name in values]) for name in names
    }
    events = trends[HEAD].slope if HEAD in trends else 0.0
    rules = {name: rule_of(name) for name in names}
    return [
        Judgement(name, trends[name], rules[name], rules[name].holds(trends[name], events)) for name in names
    ]


def trend_of(points: Sequence[tuple[float, float]]) -> Trend:
    """Return the trend of a series of times in seconds and values."""
    quarter = max(1, len(points) // 4)
    values = [value for _, value in points]
    first, last = values[:quarter], values[-quarter:]
    return Trend(sum(first) / len(first), sum(last) / len(last), HOUR * _slope(points), max(values))


def _slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope of the line by least squares, 0 where all times are the same."""
    at = sum(time for time, _ in points) / len(points)
    mean = sum(value for _, value in points) / len(points)
    spread = sum((time - at) ** 2 for time, _ in points)
    return sum((time - at) * (value - mean) for time, value in points) / spread if spread else 0.0


def table(judgements: Sequence[Judgement]) -> str:
    """Return a row for each series. Slopes are per hour."""
    rows: list[tuple[str, ...]] = [("series", "first quarter", "last quarter", "slope/h", "rule", "")]
    for each in judgements:
        trend = each.trend
        numbers = tuple(f"{number:,.2f}" for number in (trend.first, trend.last, trend.slope))
        verdict = "" if isinstance(each.rule, Shown) else "flat" if each.holds else "NOT FLAT"
        rows.append((each.name, *numbers, str(each.rule), verdict))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if 1 <= column <= 3 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
