"""Rules, dashboards and the page of metrics name what the processes really serve."""

import re
from typing import Final

import pytest

from tests.integration.monitoring.promql import Selector, grouped_labels, selectors
from tests.integration.monitoring.queries import Query, queries, recorded
from tests.integration.monitoring.served_pages import Served
from tests.testkit.tools import REPOSITORY

_PAGE: Final = (REPOSITORY / "docs" / "metrics.md").read_text()
_PROMETHEUS_ADDS: Final = {"job", "instance"}
_OF: Final = {"credentials": "C", "verifier": "V", "workers": "V", "fetcher": "F", "prober": "P"}
_OF_PROMETHEUS: Final = {"up": set[str](), "ALERTS": {"alertname", "alertstate", "severity"}}
_CODES: Final = {"outcome", "status", "kind", "reason", "cause"}
"""Labels with more values than a test can bring about."""


def _labels(selector: Selector, served: Served) -> set[str]:
    """Return the labels of a metric: served, or left by a recording rule."""
    if selector.metric in recorded():
        expression = recorded()[selector.metric]
        inner = (_labels(each, served) for each in selectors(expression))
        return (grouped_labels(expression) & _PROMETHEUS_ADDS).union(*inner)
    if selector.metric in _OF_PROMETHEUS:
        return _OF_PROMETHEUS[selector.metric] | _PROMETHEUS_ADDS
    return served.labels[selector.metric] | _PROMETHEUS_ADDS


def _faults(query: Query, served: Served) -> list[str]:
    faults, of_any = [], set[str]()
    for selector in selectors(query.expression):
        known = selector.metric in {**served.labels, **recorded(), **_OF_PROMETHEUS}
        if not known:
            faults.append(f"{query.source}: {selector.metric} is not served")
            continue
        labels = _labels(selector, served)
        of_any |= labels
        for label, operator, value in selector.matchers:
            if label not in labels:
                faults.append(f"{query.source}: {selector.metric} has no label {label}")
            values = served.values[selector.metric, label]
            if operator == "=" and values and label not in _CODES and value not in values:
                faults.append(f'{query.source}: {selector.metric} never has {label}="{value}"')
    of_any |= {"alertname"} if "ALERTS" in query.expression else set()
    unknown = (grouped_labels(query.expression) | query.shown) - of_any
    return faults + [f"{query.source}: no metric of the query has the label {label}" for label in unknown]


def test_every_metric_and_label_of_rules_and_dashboards_is_served(served: Served) -> None:
    found = [fault for query in queries() for fault in _faults(query, served)]
    assert found == []


@pytest.mark.parametrize(
    "expression",
    [
        "keyturn_node_positions",
        'keyturn_node_position{realm="acme"}',
        'keyturn_task_running{task="relais"}',
        "sum by (realm) (keyturn_node_position)",
    ],
)
def test_a_query_that_names_something_else_is_noticed(expression: str, served: Served) -> None:
    assert _faults(Query("test", expression), served)


def test_the_page_lists_every_metric_with_its_labels_and_processes(served: Served) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|([^|]*)\| ([CVFP ]+) \| (.+) \|$", _PAGE, re.MULTILINE)
    listed = {
        name: (kind, set(re.findall(r"\w+", labels)), set(processes.split()))
        for name, kind, labels, processes, meaning in rows
        if meaning
    }
    assert len(listed) == len(rows)
    assert listed == {_sample(name, served): _described(name, served) for name in served.families}


def _sample(family: str, served: Served) -> str:
    return f"{family}_total" if served.families[family][0] == "counter" else family


def _described(family: str, served: Served) -> tuple[str, set[str], set[str]]:
    name, kind = _sample(family, served), served.families[family][0]
    samples = [name] if kind != "histogram" else [f"{name}_bucket", f"{name}_count", f"{name}_sum"]
    labels = {label for sample in samples for label in served.labels[sample]} - {"le"}
    processes = {_OF[process] for process in served.processes[family]}
    # Every metric of a node with workers has the label; the page says so once.
    return kind, labels if family.startswith("keyturn_worker") else labels - {"worker"}, processes
