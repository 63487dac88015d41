"""Metrics of the endpoints."""

from prometheus_client import CollectorRegistry, Counter, Histogram


class ThrottleMetrics:
    """Callers that failed too often. ``scope``: ``client`` (at an address) or ``address``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.refusals = Counter(
            "keyturn_failure_limits_reached", "Limits on failures reached", ["scope"], registry=registry
        )
        self.throttled = Counter(
            "keyturn_throttled_requests",
            "Requests refused because of such a limit",
            ["scope"],
            registry=registry,
        )
        for scope in ("client", "address"):
            self.refusals.labels(scope)  # an increase is only seen in a series that was there before
            self.throttled.labels(scope)
        self.not_shared = Counter(
            "keyturn_failures_not_shared",
            "Failures that other nodes did not learn of because Redis was unavailable",
            registry=registry,
        )


class AnswerMetrics:
    """Outcomes of requests. ``outcome``: ``accepted`` or the refusal code."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.authentications = Counter(
            "keyturn_authentications",
            "Attempts of clients to authenticate",
            ["method", "outcome"],
            registry=registry,
        )
        self.verifications = Counter(
            "keyturn_verifications",
            "Tokens checked on behalf of callers",
            ["endpoint", "outcome"],
            registry=registry,
        )
        self.http_refusals = Counter(
            "keyturn_http_refusals",
            "Requests refused before they were processed, by status",
            ["status"],
            registry=registry,
        )
        self.claims = Histogram(
            "keyturn_replay_batch_size",
            "Assertions remembered per round trip",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
            registry=registry,
        )
        self.errors = Counter(
            "keyturn_http_errors", "Requests that failed unexpectedly", ["kind"], registry=registry
        )
