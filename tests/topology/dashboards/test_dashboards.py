"""Every panel of every dashboard, asked by Prometheus itself of a deployment under load."""

from pathlib import Path
from typing import Any

import pytest

from tests.testkit.dashboards import ROW, STAT, TIMESERIES, Dashboard, Panel, Target, read_dashboards
from tests.testkit.line_chart import Line
from tests.topology.dashboards.drawing import mapped
from tests.topology.dashboards.evaluation import Shown, Times, complaints
from tests.topology.dashboards.prometheus import configuration
from tests.topology.dashboards.run import LOAD, Plan, run
from tests.topology.dashboards.units import written
from tests.topology.deployment import Size

_PLAN = Plan(
    seconds=25.0,
    scrape=1,
    size=Size(credentials=2, nodes=2, fetchers=1),
    rates=LOAD.times(0.5),
    happens=False,
)


@pytest.mark.timeout(600)
async def test_every_panel_has_data_under_load_or_says_what_it_means_that_it_has_none(tmp_path: Path) -> None:
    outcome = await run(tmp_path, _PLAN)
    assert [dashboard.name for dashboard, _ in outcome.shown] == [each.name for each in read_dashboards()]
    assert [fault for dashboard, shown in outcome.shown for fault in complaints(dashboard, shown)] == []
    panels = [each for _, shown in outcome.shown for each in shown if each.panel.kind != ROW]
    assert sum(bool(each.lines) for each in panels) > 0.7 * len(panels)


def test_every_unit_can_be_written() -> None:
    units = {
        each.unit for board in read_dashboards() for each in board.panels if each.kind in (TIMESERIES, STAT)
    }
    assert all(written(1.0, unit) for unit in units)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (3.0, "none", "3"),
        (0.12345, "none", "0.123"),
        (12_345.0, "short", "12.3 K"),
        (0.0123, "s", "12.3 ms"),
        (90.0, "s", "1.5 min"),
        (0.0, "s", "0 s"),
        (0.05, "percentunit", "5%"),
        (1500.0, "reqps", "1.5 K req/s"),
        (0.2, "ops", "0.2 ops/s"),
        (float("nan"), "s", "nan"),
    ],
)
def test_a_value_is_written_with_its_unit(value: float, unit: str, text: str) -> None:
    assert written(value, unit) == text


def test_the_interval_of_rates_has_four_scrapes_and_grows_with_the_range() -> None:
    assert Times(0.0, 600.0, 10).rate_interval == "40s"
    assert Times(0.0, 86_400.0, 10).rate_interval == "154s"


def _panel(kind: str = TIMESERIES, **defaults: Any) -> Panel:
    return Panel(kind, "Title", (0, 0, 12, 8), (), {"fieldConfig": {"defaults": defaults}})


@pytest.mark.parametrize(
    ("shown", "fault"),
    [
        (Shown(_panel(), ()), "no data"),
        (Shown(_panel(), [Line("a", ()), Line("a", ())]), "2 lines with 1 names"),
        (Shown(_panel(), [Line("", ())]), "a line without a name"),
        (Shown(_panel(noValue="None was needed."), ()), ""),
        (Shown(_panel(), [Line("a", ()), Line("b", ())]), ""),
        (Shown(_panel(STAT), [Line("", ())]), ""),
        (Shown(_panel(ROW), ()), ""),
    ],
)
def test_a_panel_without_data_or_with_lines_that_look_alike_is_a_fault(shown: Shown, fault: str) -> None:
    found = list(complaints(Dashboard("board", "Board", [shown.panel]), [shown]))
    assert found == ([f"board: Title: {fault}"] if fault else [])


def test_a_legend_shows_the_labels_it_names_or_all_of_them() -> None:
    labels = {"__name__": "up", "instance": "a", "job": "b"}
    assert Target("up", "{{instance}} {{worker}}").name(labels) == "a"
    assert Target("up", "").name(labels) == "instance=a, job=b"


def test_a_value_may_have_a_text() -> None:
    texts = [{"type": "value", "options": {"1": {"text": "yes"}}}]
    assert [mapped(_panel(STAT, mappings=texts), value) for value in (1.0, 0.0)] == ["yes", ""]


def test_the_shipped_jobs_get_the_addresses_and_keep_their_names() -> None:
    shipped = {
        "global": {"scrape_interval": "10s", "evaluation_interval": "10s"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [{"job_name": "a", "static_configs": [{"targets": ["one:8080", "two:8080"]}]}],
    }
    found = configuration(shipped, {"two:8080": "127.0.0.1:2"}, {"more": {"it:1": "127.0.0.1:3"}}, 1)
    assert found["scrape_configs"] == [
        {
            "job_name": "a",
            "static_configs": [{"targets": ["127.0.0.1:2"], "labels": {"instance": "two:8080"}}],
        },
        {
            "job_name": "more",
            "static_configs": [{"targets": ["127.0.0.1:3"], "labels": {"instance": "it:1"}}],
        },
    ]
    assert found["global"] == {"scrape_interval": "1s", "evaluation_interval": "1s"}
    assert Path(found["rule_files"][0]).is_absolute()
