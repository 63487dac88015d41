"""Number and duration of requests, by endpoint."""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

BOUNDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper bounds of the buckets, in seconds. A node answers from memory in less than a millisecond."""

_ALERTED: Final = (200, 500, 503)
_STATUSES: Final = 600
"""One more than the highest status (RFC 9110 section 15)."""


class EndpointMetrics:
    """Requests of one endpoint. Counts without locks, in lists, for the hot path: the event loop alone counts
    and reads."""

    __slots__ = ("_by_status", "buckets", "seconds")

    def __init__(self) -> None:
        self._by_status = [0] * _STATUSES
        self.buckets = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0

    def note(self, status: int, seconds: float) -> None:
        """Count a reply with this HTTP status after this time."""
        self._by_status[status] += 1
        self.buckets[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds

    def replies(self) -> dict[int, int]:
        """Return the numbers of replies by status."""
        return {status: count for status, count in enumerate(self._by_status) if count}


class RequestMetrics(Collector):
    """Requests of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._endpoints: dict[str, EndpointMetrics] = {}
        registry.register(self)

    def of(self, endpoint: str) -> EndpointMetrics:
        """Return the counts of an endpoint. Its name must not come from a caller: each one is a label."""
        return self._endpoints.setdefault(endpoint, EndpointMetrics())

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics, for prometheus_client."""
        requests = CounterMetricFamily(
            "keyturn_requests",
            "Requests answered, by endpoint and HTTP status",
            labels=["endpoint", "status"],
        )
        durations = HistogramMetricFamily(
            "keyturn_request_seconds", "Time from a whole request to its reply", labels=["endpoint"]
        )
        for name, endpoint in self._endpoints.items():
            # An increase is only seen in a series that was there before the first such reply.
            for status, count in (dict.fromkeys(_ALERTED, 0) | endpoint.replies()).items():
                requests.add_metric([name, str(status)], count)
            durations.add_metric([name], _cumulative(endpoint.buckets), endpoint.seconds)
        yield from (requests, durations)


def _cumulative(buckets: list[int]) -> list[tuple[str, float]]:
    total, found = 0, []
    for bound, count in zip((*BOUNDS, "+Inf"), buckets, strict=True):
        total += count
        found.append((str(bound), float(total)))
    return found
