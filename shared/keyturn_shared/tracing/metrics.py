"""Metrics of the export of traces."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class TraceMetrics:
    """Spans by what became of them. ``dropped``: more ended than could be exported."""

    def __init__(self, registry: CollectorRegistry) -> None:
        spans = Counter(
            "keyturn_trace_spans",
            "Spans that ended, by outcome: exported, failed, or dropped while too many waited",
            ["outcome"],
            registry=registry,
        )
        self.exported, self.failed, self.dropped = (
            spans.labels(outcome) for outcome in ("exported", "failed", "dropped")
        )
        self.waiting = Gauge(
            "keyturn_trace_spans_waiting", "Spans that wait to be exported", registry=registry
        )
