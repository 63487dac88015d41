"""A publication of a traced event is a span."""

from collections.abc import Sequence
from typing import Any

import msgspec

from keyturn_credentials.relay.traced_channel import TracedChannel
from keyturn_shared.events import RealmDeleted, encode_event
from keyturn_shared.fleet.relay_channel import LeaseTerms, Publication, Published
from keyturn_shared.fleet.scripts import Argument
from keyturn_shared.tracing.event_context import context_of
from tests.testkit.spans import Spans, attributes_of, parent_of, traceparent_of

TRANSACTION = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"


class _Scripts:
    """Answers with these outcomes."""

    def __init__(self, *outcomes: Published) -> None:
        self._outcomes = outcomes

    async def run(self, name: str, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        raise AssertionError(f"{name} is run by itself, not with the others of its batch")

    async def run_many(
        self, name: str, calls: Sequence[tuple[Sequence[str], Sequence[Argument]]]
    ) -> list[Any]:
        assert (name, len(calls)) == ("publish", len(self._outcomes))
        return [outcome.value.encode() for outcome in self._outcomes]


def _publication(sequence: int, traceparent: str | None = None) -> Publication:
    event = RealmDeleted(
        sequence=sequence, id=f"event-{sequence}", occurred_at=0.0, realm_id="r", realm="acme"
    )
    if traceparent is not None:
        event = msgspec.structs.replace(event, traceparent=traceparent)
    return Publication(sequence, event.id, f"event-{sequence - 1}", encode_event(event), ())


async def test_each_published_event_with_a_context_gets_a_span() -> None:
    spans = Spans()
    outcomes = (Published.PUBLISHED, Published.PUBLISHED, Published.DUPLICATE, Published.GAP)
    channel = TracedChannel(_Scripts(*outcomes), LeaseTerms(), spans.tracer)
    traced = f"{TRANSACTION}-01"
    offered = [_publication(1), _publication(2, traced), _publication(3, traced), _publication(4, traced)]
    assert await channel.publish(9, offered) == list(outcomes)
    span, context = spans.the_one(), context_of(offered[1].payload)
    assert context is not None
    assert (span.name, parent_of(span)) == ("publish", TRANSACTION)
    assert f"{traceparent_of(span)}-01" == context.publication
    attributes = attributes_of(span)
    assert attributes["messaging.message.id"] == "event-2"
    assert attributes["keyturn.event.type"] == "realm_deleted"
    assert (attributes["keyturn.sequence"], attributes["keyturn.epoch"]) == (2, 9)
