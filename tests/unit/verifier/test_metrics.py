"""Series that are there before something is counted: Prometheus sees no increase in a series that begins."""

import pytest
from prometheus_client import CollectorRegistry

from keyturn_verifier.key_sets.metrics import KeySetMetrics
from keyturn_verifier.metrics import NodeMetrics


@pytest.mark.parametrize(
    ("metric", "outcomes"),
    [
        ("keyturn_node_renewals_total", ("renewed", "untrusted", "empty", "failed")),
        (
            "keyturn_key_set_fetches_total",
            ("changed", "unchanged", "superseded", "status", "timeout", "too_large"),
        ),
        ("keyturn_key_set_fetches_total", ("address_not_allowed", "connection_failed", "tls_failed")),
        ("keyturn_key_set_demands_total", ("answered", "keys_unavailable")),
    ],
)
def test_the_first_of_a_kind_is_an_increase(metric: str, outcomes: tuple[str, ...]) -> None:
    registry = CollectorRegistry()
    NodeMetrics(registry)
    KeySetMetrics(registry)
    for outcome in outcomes:
        assert registry.get_sample_value(metric, {"outcome": outcome}) == 0.0
