"""Effects of a fault on callers, and whether they are allowed."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.engines.load import CHANGE, INTROSPECTION, KEY, READY, SECRET
from tests.engines.record import NO_ANSWER, Record, Sample, of_kind, refusals, statuses

ENGINE: Final = "engine"
"""Kind of samples that tell when the engine accepted writes."""

BEYOND_AWAY: Final = {SECRET: 1.0, INTROSPECTION: 1.0, KEY: 3.0}
"""Seconds of additional refusals that are allowed after each outage of the engine."""
RESUMED_SECONDS: Final = 10.0
"""Seconds from the moment the database's name leads to the new primary until changes are accepted."""
TOLD_SECONDS: Final = 3.0
"""Time readiness may lag behind: it is checked once a second, and a check takes time."""

_NEVER: Final = {500: "an internal error", 502: "a bad gateway", 504: "a gateway timeout", NO_ANSWER: "none"}


@dataclass(frozen=True)
class Kind:
    """Results of callers of one kind: seconds, and the count of each status."""

    refused: float
    slowest: float
    statuses: Counter[int]


@dataclass(frozen=True)
class Report:
    """One fault. ``away``: seconds, in ``outages`` outages, since a new primary may be replaced as well.
    ``failures``: forbidden effects; ``late``: what took too long, on a quiet machine. ``resumed``: seconds
    from the database's new name to the first accepted change."""

    engine: str
    fault: str
    away: float
    outages: int
    kinds: Mapping[str, Kind]
    resumed: float | None = None
    failures: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Span:
    """Start of a fault, the moment its name moved, if it has one, and its end."""

    begun: float
    over: float
    moved: float | None = None


def report(engine: str, fault: str, record: Record, span: Span) -> Report:
    """Judge the record of that time."""
    samples = record.between(span.begun, span.over)
    kinds = {}
    for name in sorted({each.kind for each in samples} - {ENGINE}):
        those = of_kind(samples, name)
        slowest = max(each.ended - each.began for each in those)
        kinds[name] = Kind(max(refusals(those), default=0.0), slowest, statuses(those))
    away = refusals(of_kind(samples, ENGINE))
    made = Report(engine, fault, sum(away), len(away), kinds, _resumed(samples, span))
    for name, kind in kinds.items():
        made.failures.extend(
            f"{count} times {said} to {name}"
            for status, said in _NEVER.items()
            if (count := kind.statuses[status])
        )
    made.late.extend(_late(made))
    if span.moved is not None:
        made.late.extend(_untrue(samples, span.begun, span.moved))
    return made


def tasks_dead(
    before: Mapping[str, Mapping[str, bool]], after: Mapping[str, Mapping[str, bool]]
) -> list[str]:
    """Return the tasks that ran before a fault and not afterwards."""
    return [
        f"task {task} of {process} is dead"
        for process, tasks in before.items()
        for task in tasks
        if not after.get(process, {}).get(task, False)
    ]


def _late(made: Report) -> list[str]:
    if made.resumed is not None:
        if made.resumed <= RESUMED_SECONDS:
            return []
        return [f"changes were accepted {made.resumed:.1f} s after the name, not {RESUMED_SECONDS:g}"]
    found = []
    for name, beyond in BEYOND_AWAY.items():
        refused = made.kinds[name].refused if name in made.kinds else 0.0
        if refused > made.away + beyond * max(1, made.outages):
            found.append(f"{name} was refused for {refused:.1f} s, {refused - made.away:.1f} s beyond")
    return found


def _resumed(samples: list[Sample], span: Span) -> float | None:
    if span.moved is None:
        return None
    ended = [each.ended for each in of_kind(samples, CHANGE) if each.accepted and each.ended > span.moved]
    return min(ended, default=span.over) - span.moved


def _untrue(samples: list[Sample], begun: float, moved: float) -> list[str]:
    """Return samples of readiness while no change could be made."""
    lies = [
        each
        for each in of_kind(samples, READY)
        if each.accepted and each.began > begun + TOLD_SECONDS and each.ended < moved
    ]
    return [f"{len(lies)} times ready while no change could be made"] if lies else []
