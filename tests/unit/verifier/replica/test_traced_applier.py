"""The application of a traced event is a span, once its signature was checked."""

import msgspec
import pytest

from keyturn_shared.position import Position
from keyturn_shared.tracing.event_context import context_of
from keyturn_verifier.replica.traced_applier import TracedApplier
from tests.testkit.spans import Spans, attributes_of, parent_of
from tests.unit.verifier.replica.event_appliers import Believing, States, event

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def _traced(sequence: int, traceparent: str = TRACEPARENT) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(event(sequence)) | {"traceparent": traceparent})


class _Scene:
    def __init__(self) -> None:
        self.spans, self.log, self.states = Spans(), Believing(), States()
        self.applier = TracedApplier(self.states, self.log, lambda _: None, self.spans.tracer)
        self.applier.observe(Position(2, 5))


def test_the_application_of_a_traced_event_is_a_span_inside_its_publication() -> None:
    scene = _Scene()
    scene.applier.apply(Position(2, 6), _traced(6))
    span, context = scene.spans.the_one(), context_of(_traced(6))
    assert context is not None
    assert (span.name, f"{parent_of(span)}-01") == ("apply", context.publication)
    attributes = attributes_of(span)
    assert (attributes["keyturn.sequence"], attributes["keyturn.epoch"]) == (6, 2)
    assert attributes["keyturn.event.type"] == "client_updated"
    assert attributes["keyturn.everything_dropped"] is False
    assert scene.states.forgotten == ["field-6"]


def test_a_gap_is_seen_in_the_span() -> None:
    scene = _Scene()
    scene.applier.apply(Position(2, 8), _traced(8))
    assert attributes_of(scene.spans.the_one())["keyturn.everything_dropped"] is True


def test_an_event_without_a_context_and_one_that_is_known_have_no_span() -> None:
    scene = _Scene()
    scene.applier.apply(Position(2, 6), event(6))
    scene.applier.apply(Position(2, 6), _traced(6))
    assert (scene.applier.position, scene.spans.ended) == (Position(2, 6), [])


@pytest.mark.parametrize("at", [Position(2, 6), Position(2, 9), Position(3, 1)])
def test_a_context_that_somebody_else_than_the_log_wrote_is_not_read(at: Position) -> None:
    """Neither an event nor a context has any effect without the log's signature over both."""
    scene = _Scene()
    scene.log.forged = {at}
    scene.applier.apply(at, _traced(at.sequence))
    assert (scene.applier.position, scene.spans.ended) == (Position(2, 5), [])


@pytest.mark.parametrize("traceparent", ["", "nonsense", "\N{BELL}" * 10_000])
def test_a_context_that_cannot_be_read_does_not_keep_the_event_from_being_applied(traceparent: str) -> None:
    scene = _Scene()
    scene.applier.apply(Position(2, 6), _traced(6, traceparent))
    assert (scene.applier.position, scene.states.forgotten) == (Position(2, 6), ["field-6"])
    assert scene.spans.ended == []
