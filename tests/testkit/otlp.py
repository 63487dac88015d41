"""A collector of traces: it receives OTLP over HTTP, and keeps the spans."""

from dataclasses import dataclass
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from tests.testkit.http_receiver import Answer, Receiver, Request


@dataclass(frozen=True)
class ReceivedSpan:
    """A span as it was exported. Ids are in hex, ``parent`` empty for a root; times are ns since 1970."""

    service: str
    instance: str
    name: str
    kind: str
    trace: str
    id: str
    parent: str
    begun: int
    ended: int
    failed: bool
    attributes: dict[str, Any]


class Collector:
    """Answers exports, and refuses anything else with 404. ``bodies``: of all exports, as received."""

    def __init__(self) -> None:
        self.receiver = Receiver(_answer)

    @property
    def url(self) -> str:
        return self.receiver.url

    @property
    def bodies(self) -> list[bytes]:
        return [request.body for request in self.receiver.requests]

    def spans(self) -> list[ReceivedSpan]:
        """Return all spans so far, in the order of their begin."""
        found = [span for body in self.bodies for span in _spans_in(body)]
        return sorted(found, key=lambda span: span.begun)

    def __enter__(self) -> Self:
        self.receiver.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.receiver.__exit__(*error)


def _answer(request: Request) -> Answer:
    if (request.method, request.target) != ("POST", "/v1/traces"):
        return Answer(404)
    if request.headers["content-type"] != "application/x-protobuf":
        return Answer(415)
    body = ExportTraceServiceResponse().SerializeToString()
    return Answer(200, body, {"Content-Type": "application/x-protobuf"})


def _spans_in(body: bytes) -> list[ReceivedSpan]:
    request = ExportTraceServiceRequest.FromString(body)
    return [
        _received(span, _values(of_resource.resource.attributes))
        for of_resource in request.resource_spans
        for of_scope in of_resource.scope_spans
        for span in of_scope.spans
    ]


def _received(span: trace_pb2.Span, resource: dict[str, Any]) -> ReceivedSpan:
    return ReceivedSpan(
        str(resource["service.name"]),
        str(resource["service.instance.id"]),
        span.name,
        trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
        _values(span.attributes),
    )


def _values(attributes: Any) -> dict[str, Any]:
    return {each.key: _value(each.value) for each in attributes}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind else None
