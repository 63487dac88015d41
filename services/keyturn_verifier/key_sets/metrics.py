"""Metrics of key sets; docs/operations.md says what to watch."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from keyturn_shared.network.refusal import Reason
from keyturn_shared.oauth.key_errors import KeysUnavailableError

CHANGED: Final = "changed"
UNCHANGED: Final = "unchanged"
SUPERSEDED: Final = "superseded"
"""Outcomes of a fetch that did not fail."""

ANSWERED: Final = "answered"
"""Outcome of a demand that got keys."""


class KeySetMetrics:
    """Metrics of one process. No URL is a label: there can be a million. ``keyturn jwks inspect`` and the
    console show single ones."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.fetches = Counter(
            "keyturn_key_set_fetches",
            "Attempts to fetch a key set: changed, unchanged, superseded, or the reason of the failure",
            ["outcome"],
            registry=registry,
        )
        for outcome in (CHANGED, UNCHANGED, SUPERSEDED, *Reason):
            self.fetches.labels(outcome)  # an increase is only seen in a series that was there before
        self.fetch_seconds = Histogram(
            "keyturn_key_set_fetch_seconds", "Total duration of an attempt", registry=registry
        )
        self.late_seconds = Histogram(
            "keyturn_key_set_poll_late_seconds",
            "Delay between a poll's due time and its start, by queue",
            ["queue"],
            buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
            registry=registry,
        )
        self.in_flight = Gauge(
            "keyturn_key_set_fetches_in_flight", "Attempts in progress, by lane", ["lane"], registry=registry
        )
        self.queued = Gauge(
            "keyturn_key_sets_queued", "Key sets that are polled", ["queue"], registry=registry
        )
        self.overdue_seconds = Gauge(
            "keyturn_key_sets_overdue_seconds",
            "Time the longest overdue key set has been due",
            ["queue"],
            registry=registry,
        )
        self.skipped_keys = Counter(
            "keyturn_key_set_skipped_keys",
            "Keys in fetched sets that are skipped",
            ["reason"],
            registry=registry,
        )
        self.demands = Counter(
            "keyturn_key_set_demands",
            "Requests that had to wait for a key set, by outcome",
            ["outcome"],
            registry=registry,
        )
        for outcome in (ANSWERED, KeysUnavailableError.code):
            self.demands.labels(outcome)
        self.waiting = Gauge(
            "keyturn_key_set_waiting", "Requests that are waiting for a key set", registry=registry
        )
        self.held = Gauge("keyturn_key_sets_held", "Parsed key sets in memory", registry=registry)
        self.loop_failures = Counter(
            "keyturn_key_set_loop_failures",
            "Rounds of the background loops that failed",
            ["loop"],
            registry=registry,
        )
