"""Traces by OpenTelemetry. The process's global provider is left alone: it belongs to the application."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import (
    SERVICE_INSTANCE_ID,
    SERVICE_NAME,
    SERVICE_VERSION,
    OTELResourceDetector,
    Resource,
)
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import CollectorRegistry

from keyturn_shared.tracing.export import BoundedExport
from keyturn_shared.tracing.metrics import TraceMetrics
from keyturn_shared.tracing.ports import CLOSE_SECONDS, Attributes, Kind, Span, Tracer

_HEADER: Final = "traceparent"
_propagator: Final = TraceContextTextMapPropagator()
_next_id: ContextVar[int | None] = ContextVar("next_span_id", default=None)


class GivenIds(RandomIdGenerator):
    """Random ids, except for a span whose id is given."""

    def generate_span_id(self) -> int:
        return _next_id.get() or super().generate_span_id()


class _Span:
    """A span of OpenTelemetry."""

    __slots__ = ("span",)

    def __init__(self, span: trace.Span) -> None:
        self.span = span

    @property
    def traceparent(self) -> str | None:
        context = self.span.get_span_context()
        if not (context.is_valid and context.trace_flags.sampled):
            return None
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"

    def note(self, attributes: Attributes) -> None:
        self.span.set_attributes(dict(attributes))

    def fail(self, code: str) -> None:
        self.span.set_attribute("error.type", code)
        self.span.set_status(trace.StatusCode.ERROR)

    def end(self) -> None:
        self.span.end()


class OpenTelemetryTracer(Tracer):
    """A tracer of a provider of its own."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("keyturn")

    def now(self) -> int:
        return time.time_ns()

    def begin(
        self,
        name: str,
        kind: Kind,
        attributes: Attributes,
        *,
        begun: int | None = None,
        parent: str | None = None,
        span_id: int | None = None,
    ) -> Span:
        context = None if parent is None else _propagator.extract({_HEADER: parent}, Context())
        wanted = _next_id.set(span_id)
        try:
            span = self._tracer.start_span(
                name, context, trace.SpanKind[kind.value], dict(attributes), start_time=begun
            )
        finally:
            _next_id.reset(wanted)
        return _Span(span)

    @contextmanager
    def inside(self, span: Span) -> Iterator[None]:
        assert isinstance(span, _Span)  # noqa: S101 - this tracer makes no others
        # An exception is not recorded: its text may be a caller's.
        with trace.use_span(span.span, record_exception=False, set_status_on_exception=False):
            yield

    def has_current(self) -> bool:
        return trace.get_current_span().get_span_context().is_valid

    def exemplar(self) -> dict[str, str] | None:
        context = trace.get_current_span().get_span_context()
        if not (context.is_valid and context.trace_flags.sampled):
            return None
        return {"trace_id": f"{context.trace_id:032x}"}


class Tracing:
    """The traces of one process. ``service``: its name, unless ``OTEL_SERVICE_NAME`` or
    ``OTEL_RESOURCE_ATTRIBUTES`` gives one. ``instance``: the name of this process. ``most``: spans that wait
    to be exported. ``exporter``: by default OTLP over HTTP, as ``OTEL_EXPORTER_OTLP_*`` say."""

    def __init__(
        self,
        service: str,
        instance: str,
        version: str,
        registry: CollectorRegistry,
        *,
        most: int,
        exporter: SpanExporter | None = None,
    ) -> None:
        own = {SERVICE_NAME: service, SERVICE_INSTANCE_ID: instance, SERVICE_VERSION: version}
        resource = Resource.create(own).merge(OTELResourceDetector().detect())
        self._export = BoundedExport(exporter or OTLPSpanExporter(), TraceMetrics(registry), most=most)
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False, id_generator=GivenIds())
        self._provider.add_span_processor(self._export)
        self.tracer: Tracer = OpenTelemetryTracer(self._provider)

    async def close(self) -> None:
        """Export what waits, for ``CLOSE_SECONDS`` at most, and not at all while the collector is away."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()

        def shut_down() -> None:
            self._provider.shutdown()
            with contextlib.suppress(RuntimeError):  # the loop has ended before
                loop.call_soon_threadsafe(ended.set)

        # A daemon: the process does not wait for it.
        threading.Thread(target=shut_down, name="end-of-traces", daemon=True).start()
        if self._export.failing:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await ended.wait()
