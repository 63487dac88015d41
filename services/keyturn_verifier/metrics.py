"""Metrics of a node in the fleet."""

from collections.abc import Callable, Iterator
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from keyturn_shared.fleet.membership import MembershipStatus

RENEWAL_FAILED: Final = "failed"
"""Outcome of a renewal that Redis did not answer."""


class TokenCounts(Protocol):
    """Counts of a cache of tokens."""

    hits: int
    misses: int

    def __len__(self) -> int: ...


class _TokenCollector(Collector):
    """Reads the counts when they are asked for: a counter's lock would cost as much as finding a token."""

    def __init__(self, tokens: TokenCounts) -> None:
        self._tokens = tokens

    def collect(self) -> Iterator[Metric]:
        found = CounterMetricFamily(
            "keyturn_token_cache_lookups", "Access tokens looked up in memory, by outcome", labels=["outcome"]
        )
        found.add_metric(["hit"], self._tokens.hits)
        found.add_metric(["miss"], self._tokens.misses)
        yield found
        yield GaugeMetricFamily(
            "keyturn_token_cache_size", "Verified access tokens in memory", value=len(self._tokens)
        )


class NodeMetrics:
    """Metrics of a node in the fleet."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
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
        for outcome in (*MembershipStatus, RENEWAL_FAILED):
            self.renewals.labels(outcome)  # an increase is only seen in a series that was there before
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
        for kind in ("head", "event", "projection"):
            self.forged.labels(kind)
        self.decided_again = Counter(
            "keyturn_node_decided_again",
            "Decisions repeated because a state changed meanwhile",
            registry=registry,
        )

    def observe(self, *, lease_left: Callable[[], float], cached: Callable[[], float]) -> None:
        """Read these values at every scrape."""
        self.lease_left.set_function(lease_left)
        self.cached.set_function(cached)

    def observe_tokens(self, tokens: TokenCounts) -> None:
        """Read the counts of the cache of verified tokens at every scrape."""
        self._registry.register(_TokenCollector(tokens))
