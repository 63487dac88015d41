"""Requests are counted by endpoint, with their status and duration."""

import pytest
from prometheus_client import CollectorRegistry

from keyturn_shared.web.request_metrics import BOUNDS, RequestMetrics


def _counted() -> CollectorRegistry:
    registry = CollectorRegistry()
    token = RequestMetrics(registry).of("token")
    token.note(200, 0.0004)
    token.note(200, 0.004)
    token.note(401, 100.0)
    return registry


def test_each_status_of_an_endpoint_is_counted() -> None:
    registry = _counted()
    found = [
        registry.get_sample_value("keyturn_requests_total", {"endpoint": "token", "status": status})
        for status in ("200", "401", "404")
    ]
    assert found == [2, 1, None]


def test_a_duration_is_in_every_bucket_above_it() -> None:
    registry = _counted()
    buckets = [
        registry.get_sample_value("keyturn_request_seconds_bucket", {"endpoint": "token", "le": str(bound)})
        for bound in (*BOUNDS, "+Inf")
    ]
    assert buckets == [1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3]
    total = registry.get_sample_value("keyturn_request_seconds_sum", {"endpoint": "token"})
    assert total == pytest.approx(100.0044)


def test_a_duration_equal_to_a_bound_is_in_its_bucket() -> None:
    registry = CollectorRegistry()
    RequestMetrics(registry).of("token").note(200, BOUNDS[0])
    labels = {"endpoint": "token", "le": str(BOUNDS[0])}
    assert registry.get_sample_value("keyturn_request_seconds_bucket", labels) == 1


def test_errors_have_a_series_before_the_first_one() -> None:
    registry = CollectorRegistry()
    RequestMetrics(registry).of("token")
    for status in ("500", "503"):
        labels = {"endpoint": "token", "status": status}
        assert registry.get_sample_value("keyturn_requests_total", labels) == 0


def test_an_endpoint_without_requests_has_a_series_already() -> None:
    registry = CollectorRegistry()
    RequestMetrics(registry).of("token")
    assert registry.get_sample_value("keyturn_request_seconds_count", {"endpoint": "token"}) == 0
