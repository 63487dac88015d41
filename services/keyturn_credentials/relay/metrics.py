"""Metrics of the relay."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from keyturn_credentials.errors import StoreUnavailableError
from keyturn_credentials.relay.reconciliation import REASONS
from keyturn_shared.errors import RedisUnavailableError


class RelayMetrics:
    """The relay's metrics, in a registry given by the composition root."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.active = Gauge("keyturn_relay_active", "1 while this instance relays", registry=registry)
        self.committed = Gauge(
            "keyturn_committed_sequence",
            "Sequence of the newest event that this process committed since it started",
            registry=registry,
        )
        self.head = Gauge("keyturn_relay_head", "Sequence of the newest event published", registry=registry)
        self.published = Counter("keyturn_relay_published", "Events published", registry=registry)
        self.refusals = Counter(
            "keyturn_relay_refusals", "Events Redis refused, by outcome", ["outcome"], registry=registry
        )
        self.epochs = Counter(
            "keyturn_relay_epochs", "Epochs opened, by reason", ["reason"], registry=registry
        )
        for reason in REASONS:
            self.epochs.labels(reason)  # an increase is only seen in a series that was there before
        self.partitions = Gauge(
            "keyturn_partition_vouched",
            "1 for a partition of used assertions whose Redis this relay vouches for, 0 while it does not",
            ["partition"],
            registry=registry,
        )
        self.failures = Counter(
            "keyturn_relay_failures",
            "Rounds of the relay that failed, by cause",
            ["cause"],
            registry=registry,
        )
        for error in (RedisUnavailableError, StoreUnavailableError):
            self.failures.labels(error.__name__)
