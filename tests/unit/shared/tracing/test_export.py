"""Spans wait in a bounded queue, and what becomes of them is counted."""

import threading
from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler
from prometheus_client import CollectorRegistry

from keyturn_shared.tracing.export import BoundedExport
from keyturn_shared.tracing.metrics import TraceMetrics


class _Collector(SpanExporter):
    """Takes spans while it is ``open``; each export has the next of the results, or else succeeds."""

    def __init__(self, *results: SpanExportResult | Exception) -> None:
        self._results = list(results)
        self.open = threading.Event()
        self.open.set()
        self.busy = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.busy.set()
        self.open.wait(60)
        result = self._results.pop(0) if self._results else SpanExportResult.SUCCESS
        if isinstance(result, Exception):
            raise result
        return result

    def shutdown(self) -> None:
        self.open.set()


class _Scene:
    def __init__(self, collector: _Collector, *, most: int = 512, sampler: Sampler = ALWAYS_ON) -> None:
        self._registry = CollectorRegistry()
        self.export = BoundedExport(collector, TraceMetrics(self._registry), most=most)
        provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
        provider.add_span_processor(self.export)
        self._tracer = provider.get_tracer("test")

    def end_spans(self, count: int) -> None:
        for _ in range(count):
            self._tracer.start_span("span").end()

    def counts(self) -> dict[str, float | None]:
        value = self._registry.get_sample_value
        outcomes = ("exported", "failed", "dropped")
        counted = {each: value("keyturn_trace_spans_total", {"outcome": each}) for each in outcomes}
        return counted | {"waiting": value("keyturn_trace_spans_waiting")}


def test_spans_are_counted_by_what_became_of_them() -> None:
    scene = _Scene(_Collector(SpanExportResult.FAILURE, ValueError("a defect")))
    for failing in (True, True, False):
        scene.end_spans(2)
        scene.export.force_flush()
        assert scene.export.failing is failing
    assert scene.counts() == {"exported": 2, "failed": 4, "dropped": 0, "waiting": 0}
    scene.export.shutdown()


def test_a_collector_that_does_not_answer_holds_nobody_up() -> None:
    """Ending spans returns at once; as many wait as there is room for, also those that are being exported."""
    collector = _Collector()
    collector.open.clear()
    scene = _Scene(collector, most=512)
    scene.end_spans(512)
    collector.busy.wait(60)
    scene.end_spans(3)
    assert scene.counts() == {"exported": 0, "failed": 0, "dropped": 3, "waiting": 512}
    collector.open.set()
    scene.export.force_flush()
    scene.end_spans(1)
    scene.export.force_flush()
    assert scene.counts() == {"exported": 513, "failed": 0, "dropped": 3, "waiting": 0}
    scene.export.shutdown()


def test_spans_that_are_not_sampled_do_not_wait() -> None:
    scene = _Scene(_Collector(), sampler=ALWAYS_OFF)
    scene.end_spans(1)
    scene.export.force_flush()
    assert scene.counts() == {"exported": 0, "failed": 0, "dropped": 0, "waiting": 0}
    scene.export.shutdown()
