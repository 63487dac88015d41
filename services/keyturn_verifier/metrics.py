"""Metrics of a node in the fleet."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge


class NodeMetrics:
    """Metrics of a node in the fleet."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.position = Gauge(
            "keyturn_node_position", "Sequence of the newest event applied", registry=registry
        )
        self.epoch = Gauge("keyturn_node_epoch", "Epoch of that event", registry=registry)
        self.lease_left = Gauge("keyturn_node_lease_seconds", "Seconds left of the lease", registry=registry)
        self.cached = Gauge("keyturn_node_cached_states", "Realms and clients in memory", registry=registry)
        self.jumps = Counter(
            "keyturn_node_jumps", "Times the whole cache was dropped: new epochs and gaps", registry=registry
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
            "keyturn_node_fenced_answers", "Requests refused because the node had no lease", registry=registry
        )
        self.forged = Counter(
            "keyturn_node_forged",
            "Entries in Redis without a valid signature of the log, by kind: head, event, projection",
            ["kind"],
            registry=registry,
        )
        self.decided_again = Counter(
            "keyturn_node_decided_again",
            "Decisions repeated because a state changed meanwhile",
            registry=registry,
        )

    def observe(self, *, lease_left: Callable[[], float], cached: Callable[[], float]) -> None:
        """Read these values at every scrape."""
        self.lease_left.set_function(lease_left)
        self.cached.set_function(cached)
