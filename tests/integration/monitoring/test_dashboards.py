"""The dashboards are what Grafana expects, by Grafana's own types, and every query is PromQL."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.integration.monitoring.queries import queries
from tests.testkit.dashboards import DASHBOARDS
from tests.testkit.promtool import complaint_of_promtool

_WIDTH: Final = 24


@pytest.fixture(params=DASHBOARDS, ids=lambda file: file.stem)
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(request.param.read_text())
    document["file"] = request.param.stem
    return document


def _unknown(given: Any, understood: Any, path: str = "") -> Iterator[str]:
    """Yield what Grafana's types did not take over."""
    if isinstance(given, dict) and isinstance(understood, dict):
        for key, value in given.items():
            if key not in understood:
                yield f"{path}.{key}"
            else:
                yield from _unknown(value, understood[key], f"{path}.{key}")
    elif isinstance(given, list) and isinstance(understood, list) and len(given) == len(understood):
        for number, pair in enumerate(zip(given, understood, strict=True)):
            yield from _unknown(*pair, f"{path}[{number}]")
    elif given != understood:
        yield path


def _read_by_grafana(document: dict[str, Any]) -> Any:
    register_default_plugins()
    return json.loads(json.dumps(Dashboard.from_json(document), cls=JSONEncoder))


def test_there_is_a_dashboard_for_each_concern() -> None:
    assert {file.stem for file in DASHBOARDS} == {
        f"keyturn-{name}"
        for name in ("fleet", "requests", "authentication", "key-sets", "rotations", "relay")
    }


def test_grafana_understands_every_member(dashboard: dict[str, Any]) -> None:
    dashboard.pop("file")
    assert list(_unknown(dashboard, _read_by_grafana(dashboard))) == []


def test_a_member_that_grafana_does_not_know_is_noticed(dashboard: dict[str, Any]) -> None:
    dashboard.pop("file")
    panel = next(panel for panel in dashboard["panels"] if panel["type"] == "timeseries")
    panel["options"]["legend"]["place"] = "bottom"
    (found,) = _unknown(dashboard, _read_by_grafana(dashboard))
    assert found.endswith(".options.legend.place")


def test_it_has_a_name_of_its_own_and_a_datasource_to_choose(dashboard: dict[str, Any]) -> None:
    assert dashboard["uid"] == dashboard["file"]
    assert dashboard["schemaVersion"] >= 39
    assert "id" not in dashboard, "Grafana gives the number"
    (datasource,) = [each for each in dashboard["templating"]["list"] if each["type"] == "datasource"]
    assert (datasource["name"], datasource["query"]) == ("datasource", "prometheus")
    names = {panel["datasource"]["uid"] for panel in dashboard["panels"] if panel["type"] != "row"}
    assert names == {"${datasource}"}


def test_each_panel_has_a_title_a_description_a_unit_and_a_query(dashboard: dict[str, Any]) -> None:
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    for panel in panels:
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["targets"]
        if panel["type"] in ("timeseries", "stat"):
            assert panel["fieldConfig"]["defaults"]["unit"]
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_no_panels_overlap(dashboard: dict[str, Any]) -> None:
    taken = set[tuple[int, int]]()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert max(x for x, _ in cells) < _WIDTH
        assert not cells & taken, panel["title"]
        taken |= cells


def test_prometheus_can_read_every_query(tmp_path: Path) -> None:
    found = [
        {"record": f"keyturn:query_{number}", "expr": query.expression, "labels": {"source": query.source}}
        for number, query in enumerate(queries())
    ]
    assert len(found) > 100
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": found}]}))
    assert complaint_of_promtool("check", "rules", file) == ""
    found[0]["expr"] = "sum by (keyturn_node_position"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": found}]}))
    assert complaint_of_promtool("check", "rules", file)
