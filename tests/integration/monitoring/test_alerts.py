"""Each alert fires when it should, and only then, by Prometheus' own evaluation."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.integration.monitoring import alert_cases, more_alert_cases
from tests.integration.monitoring.alert_cases import Case, Series
from tests.testkit.promtool import complaint_of_promtool
from tests.testkit.tools import REPOSITORY

PROMETHEUS: Final = REPOSITORY / "deploy" / "prometheus"
RULES: Final = PROMETHEUS / "keyturn-rules.yaml"
CASES: Final = (*alert_cases.CASES, *more_alert_cases.CASES)
SEVERITIES: Final = {"critical", "warning", "info"}


def _alerts() -> dict[str, dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}


def test_prometheus_accepts_the_rules_and_the_example_that_scrapes() -> None:
    assert complaint_of_promtool("check", "config", PROMETHEUS / "prometheus.yaml") == ""


def test_promtool_refuses_a_rule_that_is_none(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(RULES.read_text().replace("keyturn_relay_active) or", "keyturn_relay_active or"))
    assert complaint_of_promtool("check", "rules", broken)


def test_each_alert_has_a_case() -> None:
    assert sorted(case.alert for case in CASES) == sorted(_alerts())


def test_each_alert_has_a_severity_a_summary_and_a_section_to_read() -> None:
    for name, rule in _alerts().items():
        assert rule["labels"].keys() == {"severity"}
        assert rule["labels"]["severity"] in SEVERITIES
        assert rule["annotations"].keys() == {"summary", "runbook"}
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["annotations"]["runbook"] == f"docs/alerts.md#{name.lower()}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.alert)
def test_an_alert_fires_and_does_not_fire(case: Case, tmp_path: Path) -> None:
    rule = _alerts()[case.alert]
    expected = {
        "exp_labels": {**case.labels, **rule["labels"]},
        "exp_annotations": {"summary": case.summary, "runbook": rule["annotations"]["runbook"]},
    }
    tests = [_test(case, case.fires, [expected]), _test(case, case.quiet, [])]
    file = tmp_path / "tests.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "tests": tests}))
    assert complaint_of_promtool("test", "rules", file) == ""


def test_an_alert_that_does_not_fire_as_expected_is_noticed(tmp_path: Path) -> None:
    case = CASES[0]
    file = tmp_path / "tests.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "tests": [_test(case, case.fires, [])]}))
    assert case.alert in complaint_of_promtool("test", "rules", file)


def _test(case: Case, series: Series, expected: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "interval": "10s",
        "input_series": list(_input(series)),
        "alert_rule_test": [{"eval_time": case.after, "alertname": case.alert, "exp_alerts": expected}],
    }


def _input(series: Series) -> Iterator[dict[str, str]]:
    for name, values in series.items():
        # "0x5" alone is one value and five more of it; Prometheus needs the step, also of nothing.
        parts = (part if "+" in part else part.replace("x", "+0x") for part in values.split())
        yield {"series": name, "values": " ".join(parts)}
