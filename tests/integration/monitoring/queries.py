"""All queries of the rules and the dashboards."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from tests.testkit.dashboards import DASHBOARDS, read_dashboard
from tests.testkit.tools import REPOSITORY

RULES: Final = REPOSITORY / "deploy" / "prometheus" / "keyturn-rules.yaml"
_SHOWN: Final = re.compile(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}")
_VARIABLE: Final = re.compile(r"label_values\((\w+), (\w+)\)")


@dataclass(frozen=True, slots=True)
class Query:
    """``source``: where it is. ``expression``: PromQL, with variables of Grafana replaced. ``shown``: labels
    of its result that a text shows."""

    source: str
    expression: str
    shown: frozenset[str] = frozenset()


def rules() -> list[dict[str, Any]]:
    """Return all recording rules and alerts."""
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def recorded() -> dict[str, str]:
    """Return the expressions of the recording rules, by name."""
    return {rule["record"]: rule["expr"] for rule in rules() if "record" in rule}


def queries() -> Iterator[Query]:
    """Yield every query."""
    for rule in rules():
        shown = _SHOWN.findall(str(rule.get("annotations", "")))
        yield Query(rule.get("alert") or rule["record"], rule["expr"], frozenset(shown))
    for file in DASHBOARDS:
        for panel in read_dashboard(file).panels:
            for target in panel.targets:
                yield Query(f"{file.name}: {panel.title}", target.query("1m"), target.shown)
        dashboard = json.loads(file.read_text())
        for variable in dashboard["templating"]["list"]:
            for metric, label in _VARIABLE.findall(str(variable["query"])):
                yield Query(f"{file.name}: ${variable['name']}", f"count by ({label}) ({metric})")
