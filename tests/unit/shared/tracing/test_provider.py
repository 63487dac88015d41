"""A tracer continues traces, and names the context of its spans."""

import re
from collections.abc import Sequence

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from prometheus_client import CollectorRegistry

from keyturn_shared.tracing.ports import Kind
from keyturn_shared.tracing.provider import Tracing
from tests.testkit.spans import Spans, attributes_of, parent_of, traceparent_of

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"


def test_a_span_continues_the_trace_of_its_caller() -> None:
    spans = Spans()
    spans.tracer.begin("call", Kind.SERVER, {"a": 1}, begun=5, parent=f"{CALLER}-01").end()
    span = spans.the_one()
    assert (parent_of(span), span.name, span.kind) == (CALLER, "call", trace.SpanKind.SERVER)
    assert (span.start_time, attributes_of(span)) == (5, {"a": 1})


@pytest.mark.parametrize(
    "malformed", ["", "00", CALLER, "ff" + CALLER[2:] + "-01", "00-" + "0" * 32 + CALLER[35:] + "-01", "é"]
)
def test_a_malformed_context_begins_another_trace(malformed: str) -> None:
    spans = Spans()
    spans.tracer.begin("call", Kind.SERVER, {}, parent=malformed).end()
    assert parent_of(spans.the_one()) is None


def test_spans_are_inside_the_current_one() -> None:
    spans = Spans()
    outer = spans.tracer.begin("outer", Kind.SERVER, {})
    with spans.tracer.inside(outer):
        assert spans.tracer.has_current()
        assert spans.tracer.exemplar() == {"trace_id": (outer.traceparent or "").split("-")[1]}
        spans.tracer.begin("inner", Kind.INTERNAL, {}).end()
    assert not spans.tracer.has_current()
    assert spans.tracer.exemplar() is None
    outer.end()
    inner, ended = spans.ended
    assert parent_of(inner) == traceparent_of(ended)
    assert outer.traceparent is not None
    assert re.fullmatch(re.escape(traceparent_of(ended)) + "-0[13]", outer.traceparent)


def test_an_id_may_be_given_for_one_span() -> None:
    spans = Spans()
    spans.tracer.begin("first", Kind.PRODUCER, {}, span_id=0xABC).end()
    spans.tracer.begin("second", Kind.PRODUCER, {}).end()
    first, second = spans.ended
    assert traceparent_of(first).endswith("-0000000000000abc")
    assert not traceparent_of(second).endswith("-0000000000000abc")


def test_what_is_not_sampled_has_no_context_to_hand_on() -> None:
    spans = Spans(ParentBased(ALWAYS_OFF))
    span = spans.tracer.begin("call", Kind.SERVER, {})
    assert span.traceparent is None
    with spans.tracer.inside(span):
        assert spans.tracer.exemplar() is None
        assert spans.tracer.begin("inner", Kind.INTERNAL, {}).traceparent is None
    assert spans.tracer.begin("sampled by its caller", Kind.SERVER, {}, parent=f"{CALLER}-01").traceparent
    assert spans.ended == []


def test_a_failure_is_its_code_and_an_error_is_not_recorded() -> None:
    """The text of an error may be a caller's."""
    spans = Spans()
    span = spans.tracer.begin("call", Kind.SERVER, {})
    with pytest.raises(ValueError, match="hidden"), spans.tracer.inside(span):
        raise ValueError("hidden")
    span.fail("code")
    span.end()
    ended = spans.the_one()
    assert (attributes_of(ended), ended.status.status_code) == (
        {"error.type": "code"},
        trace.StatusCode.ERROR,
    )
    assert (list(ended.events), ended.status.description) == ([], None)


class _Kept(SpanExporter):
    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.spans += spans
        return SpanExportResult.SUCCESS


async def test_a_process_that_ends_exports_its_last_spans_under_its_name() -> None:
    kept = _Kept()
    tracing = Tracing("keyturn-verifier", "node-a.1", "1.0", CollectorRegistry(), most=2048, exporter=kept)
    tracing.tracer.begin("apply", Kind.CONSUMER, {}).end()
    await tracing.close()
    (span,) = kept.spans
    named = {name: span.resource.attributes[f"service.{name}"] for name in ("name", "instance.id", "version")}
    assert named == {"name": "keyturn-verifier", "instance.id": "node-a.1", "version": "1.0"}


async def test_otel_variables_name_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "orders")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test,service.version=2")
    kept = _Kept()
    tracing = Tracing("keyturn-verifier", "node-a.1", "1.0", CollectorRegistry(), most=2048, exporter=kept)
    tracing.tracer.begin("apply", Kind.CONSUMER, {}).end()
    await tracing.close()
    (span,) = kept.spans
    assert span.resource.attributes["service.name"] == "orders"
    assert span.resource.attributes["service.version"] == "2"
    assert span.resource.attributes["deployment.environment.name"] == "test"
