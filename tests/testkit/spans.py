"""A tracer whose spans a test can look at."""

from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler

from keyturn_shared.tracing.provider import GivenIds, OpenTelemetryTracer


class Spans:
    """Spans that have ended, in that order."""

    def __init__(self, sampler: Sampler = ALWAYS_ON) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(sampler=sampler, shutdown_on_exit=False, id_generator=GivenIds())
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = OpenTelemetryTracer(provider)

    @property
    def ended(self) -> list[ReadableSpan]:
        return list(self._exporter.get_finished_spans())

    def the_one(self) -> ReadableSpan:
        """Return the only span."""
        (span,) = self.ended
        return span


def traceparent_of(span: ReadableSpan) -> str:
    """Return the traceparent of a sampled span, without the flags."""
    assert span.context is not None
    return f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}"


def parent_of(span: ReadableSpan) -> str | None:
    """Return the traceparent of its parent without the flags, None for a root."""
    return None if span.parent is None else f"00-{span.parent.trace_id:032x}-{span.parent.span_id:016x}"


def attributes_of(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})
