"""A soak of seconds, which has everything of a long one but the time to show growth."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.topology.callers import CONSOLE, ENDED, INTROSPECTION, KEY, PASSING, ROTATION, SECRET, VERIFY
from tests.topology.deployment import Size
from tests.topology.soak.__main__ import report
from tests.topology.soak.chart import CHARTS, series_of
from tests.topology.soak.judging import HEAD
from tests.topology.soak.run import LOAD, Plan, Results, run

_PLAN = Plan(
    seconds=20.0,
    interval=2.0,
    warm_up=4.0,
    size=Size(credentials=2, nodes=1, fetchers=0),
    rates=replace(LOAD.times(0.2), passing=0.5),
)
_PROCESSES = (
    "credentials-1",
    "credentials-2",
    "verifier-1",
    "nginx",
    "PostgreSQL",
    "Redis 1",
    "Redis 3",
    "Sentinel",
)


@pytest.mark.timeout(600)
async def test_a_short_soak_has_no_error_and_a_complete_table(tmp_path: Path) -> None:
    kept = tmp_path / "results.json"
    results = await run(tmp_path, _PLAN, kept)
    assert (results.wrong, results.failed) == ([], {}), report(results)
    assert {SECRET, KEY, INTROSPECTION, VERIFY, ROTATION, ENDED, PASSING, CONSOLE} <= results.requests.keys()
    assert len(results.samples) == 10
    names = {each.name for each in results.judgements}
    assert all(names == values.keys() for _, values in results.samples)
    assert {
        f"{process}: {what}" for process in _PROCESSES for what in ("RSS", "descriptors", "threads")
    } <= names
    assert {
        "Redis: keys",
        "PostgreSQL: database",
        "PostgreSQL: WAL",
        "PostgreSQL: table clients",
        HEAD,
    } <= names
    assert all(f"\n{name} " in f"\n{report(results)}" for name in names)
    assert all(series_of(chart, results) for chart in CHARTS)
    assert vars(Results.read(kept)) == vars(results)
