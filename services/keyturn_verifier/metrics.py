"""What operators see of a verifier node."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class NodeMetrics:
    """A node's part in the fleet."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.position = Gauge(
            "keyturn_node_position", "Sequence of the newest event applied", registry=registry
        )
        self.epoch = Gauge("keyturn_node_epoch", "Epoch of that event", registry=registry)
        self.lease_left = Gauge("keyturn_node_lease_seconds", "Seconds left of the lease", registry=registry)
        self.cached = Gauge("keyturn_node_cached_states", "Realms and clients in memory", registry=registry)
        self.jumps = Counter(
            "keyturn_node_jumps", "Times everything was forgotten: new epochs and gaps", registry=registry
        )
        self.renewals = Counter(
            "keyturn_node_renewals", "Renewals of the lease, by outcome", ["outcome"], registry=registry
        )
        self.catch_ups = Counter(
            "keyturn_node_catch_ups", "Times events were read past the subscription", registry=registry
        )
        self.loads = Counter(
            "keyturn_node_loads", "Projections read from Redis, by outcome", ["outcome"], registry=registry
        )
        self.stale_answers = Counter(
            "keyturn_node_stale_answers", "Answers given without a lease", registry=registry
        )
        self.fenced_answers = Counter(
            "keyturn_node_fenced_answers", "Requests refused for want of a lease", registry=registry
        )
        self.decided_again = Counter(
            "keyturn_node_decided_again",
            "Decisions repeated since a state changed meanwhile",
            registry=registry,
        )

    def observe(self, *, lease_left: Callable[[], float], cached: Callable[[], float]) -> None:
        """Read these whenever somebody asks."""
        self.lease_left.set_function(lease_left)
        self.cached.set_function(cached)


class ThrottleMetrics:
    """Callers that failed too often. ``scope``: ``client`` (at an address) or ``address``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.refusals = Counter(
            "keyturn_failure_limits_reached", "Limits on failures reached", ["scope"], registry=registry
        )
        self.throttled = Counter(
            "keyturn_throttled_requests", "Requests refused for it", ["scope"], registry=registry
        )
        self.not_shared = Counter(
            "keyturn_failures_not_shared",
            "Failures other nodes did not hear of, since Redis was away",
            registry=registry,
        )


class AnswerMetrics:
    """What callers were told. ``outcome``: ``accepted`` or the refusal code."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.authentications = Counter(
            "keyturn_authentications",
            "Attempts of clients to prove themselves",
            ["method", "outcome"],
            registry=registry,
        )
        self.verifications = Counter(
            "keyturn_verifications", "Tokens checked for callers", ["endpoint", "outcome"], registry=registry
        )
        self.http_refusals = Counter(
            "keyturn_http_refusals",
            "Requests refused before anybody looked at what they ask, by status",
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
