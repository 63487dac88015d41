"""The export of spans: in a thread of its own, from a bounded queue, counted."""

import threading
from collections.abc import Callable, Sequence

import structlog
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from keyturn_shared.tracing.metrics import TraceMetrics

_log = structlog.get_logger(__name__)


class CountedExporter(SpanExporter):
    """Counts the spans that another exporter takes or fails to. ``taken`` gets the number of each batch. An
    outage is logged when it begins and when it ends."""

    def __init__(self, inner: SpanExporter, metrics: TraceMetrics, taken: Callable[[int], None]) -> None:
        self._inner = inner
        self._metrics = metrics
        self._taken = taken
        # The thread of the export has no context of its own.
        self._log = _log.bind(**structlog.contextvars.get_contextvars())
        self.failing = False
        """True if the newest batch could not be exported."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            result = self._inner.export(spans)
        except Exception as error:  # noqa: BLE001 - of whatever kind: spans are lost, and nothing else
            self._log.warning("export_of_traces_failed", error=type(error).__name__)
            result = SpanExportResult.FAILURE
        finally:
            self._taken(len(spans))
        failed = result is not SpanExportResult.SUCCESS
        (self._metrics.failed if failed else self._metrics.exported).inc(len(spans))
        if failed != self.failing:
            self.failing = failed
            if failed:
                self._log.warning("traces_not_exported", spans=len(spans))
            else:
                self._log.info("traces_exported_again")
        return result

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)


class BoundedExport(SpanProcessor):
    """Exports ended spans in batches. At most ``most`` wait; further ones are dropped and counted."""

    def __init__(self, exporter: SpanExporter, metrics: TraceMetrics, *, most: int) -> None:
        self._metrics = metrics
        self._most = most
        self._waiting = 0
        self._lock = threading.Lock()
        self._counted = CountedExporter(exporter, metrics, self._taken)
        self._batches = BatchSpanProcessor(self._counted, max_queue_size=most)
        metrics.waiting.set_function(lambda: self._waiting)

    @property
    def failing(self) -> bool:
        """True if the newest batch could not be exported."""
        return self._counted.failing

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Do nothing: a span is exported when it has ended."""

    def on_end(self, span: ReadableSpan) -> None:
        if span.context is None or not span.context.trace_flags.sampled:
            return
        with self._lock:
            is_full = self._waiting >= self._most
            if not is_full:
                self._waiting += 1
        if is_full:
            self._metrics.dropped.inc()
        else:
            self._batches.on_end(span)

    def shutdown(self) -> None:
        self._batches.shutdown()  # type: ignore[no-untyped-call]  # has no annotations

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._batches.force_flush(timeout_millis)

    def _taken(self, count: int) -> None:
        with self._lock:
            self._waiting -= count
