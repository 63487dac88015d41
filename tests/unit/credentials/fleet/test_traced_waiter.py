"""A wait for the fleet is a span with the fleet's answer."""

import pytest

from keyturn_credentials.fleet.traced_waiter import TracedWaiter
from keyturn_shared.fleet.registry import UNACCOUNTED, UNKNOWN, FleetSummary
from keyturn_shared.tracing.ports import Kind
from tests.testkit.spans import Spans, attributes_of, parent_of, traceparent_of


class _Waiter:
    def __init__(self, answer: FleetSummary | Exception) -> None:
        self._answer = answer

    async def wait(self, sequence: int, timeout: float) -> FleetSummary:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    wait_while_likely = wait


@pytest.mark.parametrize(
    ("summary", "answer"),
    [
        (FleetSummary(2, 1, ()), {"outcome": "applied", "nodes": 3, "applied": 2, "fenced": 1, "pending": 0}),
        (
            FleetSummary(2, 0, ("node-a", UNACCOUNTED)),
            {"outcome": "pending", "nodes": 3, "applied": 2, "fenced": 0, "pending": 1},
        ),
        (UNKNOWN, {"outcome": "unknown"}),
    ],
)
@pytest.mark.parametrize("method", ["wait", "wait_while_likely"])
async def test_a_wait_inside_a_traced_call_is_a_span(
    summary: FleetSummary, answer: dict[str, object], method: str
) -> None:
    spans = Spans()
    call = spans.tracer.begin("call", Kind.SERVER, {})
    with spans.tracer.inside(call):
        assert await getattr(TracedWaiter(_Waiter(summary), spans.tracer), method)(7, 1.0) is summary
    call.end()
    wait, outer = spans.ended
    assert (wait.name, parent_of(wait)) == ("wait for the fleet", traceparent_of(outer))
    expected = {f"keyturn.fleet.{name}": value for name, value in answer.items()}
    assert attributes_of(wait) == expected | {"keyturn.sequence": 7}


async def test_a_wait_that_raises_is_a_span_that_failed() -> None:
    spans = Spans()
    with spans.tracer.inside(spans.tracer.begin("call", Kind.SERVER, {})), pytest.raises(KeyError):
        await TracedWaiter(_Waiter(KeyError("hidden")), spans.tracer).wait(7, 1.0)
    assert attributes_of(spans.the_one())["error.type"] == "KeyError"
    assert "hidden" not in spans.the_one().to_json()


async def test_a_wait_outside_a_traced_call_is_none() -> None:
    """Of a client's own rotation, for example: it would be a trace of nothing but a wait."""
    spans, summary = Spans(), FleetSummary(1, 0, ())
    assert await TracedWaiter(_Waiter(summary), spans.tracer).wait(7, 1.0) is summary
    assert spans.ended == []
