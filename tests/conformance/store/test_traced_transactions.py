"""A transaction that writes events is a span, whose context is in its newest event below the signature."""

from dataclasses import dataclass

import msgspec
import pytest
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler

from keyturn_credentials.operations.wiring import Operations, build_operations
from keyturn_credentials.store.unit_of_work import LogEntry, Store, UnitOfWork
from keyturn_shared.clock import SystemClock
from keyturn_shared.events import RealmUpdated
from keyturn_shared.signed_log.verifier import LogVerifier
from keyturn_shared.tracing.event_context import context_of
from keyturn_shared.tracing.ports import Kind
from tests.conformance.store.conftest import ACTOR, Instance
from tests.testkit.spans import Spans, attributes_of, parent_of, traceparent_of


@dataclass
class _Traced:
    instance: Instance
    spans: Spans
    store: Store
    operations: Operations

    async def contexts(self) -> list[str | None]:
        """Return the context in each event of the log, after the check of its signature."""
        keys = self.instance.settings.log_keys().verification()
        verifier = LogVerifier(keys, await self.instance.log.identity())
        found = []
        for logged in await self.instance.log.read(1, 100):
            context = context_of(verifier.event(logged.sequence, logged.payload))
            found.append(None if context is None else context.transaction.rpartition("-")[0])
        return found


def _traced(instance: Instance, sampler: Sampler = ALWAYS_ON) -> _Traced:
    spans, settings = Spans(sampler), instance.settings
    store = Store(
        instance.database,
        SystemClock(),
        settings.encryption_ring(),
        log_keys=settings.log_keys(),
        tracer=spans.tracer,
    )
    return _Traced(instance, spans, store, build_operations(store, SystemClock(), settings))


async def _append(transaction: UnitOfWork, count: int) -> None:
    entries = [
        LogEntry(
            event=RealmUpdated(
                sequence=stamp.sequence, id=stamp.id, occurred_at=0.0, realm_id="r", realm="acme"
            ),
            changed={},
            realm_id="r",
        )
        for stamp in await transaction.stamps(count)
    ]
    await transaction.append_all(entries)


async def test_a_change_is_a_span_inside_the_call_that_makes_it(instance: Instance) -> None:
    traced = _traced(instance)
    call = traced.spans.tracer.begin("call", Kind.SERVER, {})
    with traced.spans.tracer.inside(call):
        await traced.operations.realms.create(ACTOR, {"realm": "acme"})
    call.end()
    transaction, outer = traced.spans.ended
    assert (transaction.name, parent_of(transaction)) == ("transaction", traceparent_of(outer))
    assert await traced.contexts() == [traceparent_of(transaction)]
    kind = "postgresql" if instance.database.is_postgresql else "sqlite"
    attributes = {"db.system.name": kind, "keyturn.event.type": "realm_created", "keyturn.sequence": 1}
    assert attributes_of(transaction) == attributes


async def test_the_newest_event_of_many_has_the_context(instance: Instance) -> None:
    traced = _traced(instance)
    async with traced.store.change(ACTOR) as transaction:
        await _append(transaction, 3)
    span = traced.spans.the_one()
    assert (await traced.contexts(), parent_of(span)) == ([None, None, traceparent_of(span)], None)


async def test_a_transaction_without_an_event_is_no_span(instance: Instance) -> None:
    traced = _traced(instance)
    async with traced.store.change(ACTOR) as transaction:
        await transaction.audit("looked", realm_id="r")
    assert traced.spans.ended == []


async def test_a_transaction_that_is_rolled_back_is_a_span_that_failed(instance: Instance) -> None:
    traced = _traced(instance)
    with pytest.raises(KeyError):
        async with traced.store.change(ACTOR) as transaction:
            await _append(transaction, 1)
            raise KeyError("hidden")
    span = traced.spans.the_one()
    assert (span.status.is_ok, attributes_of(span)["error.type"]) == (False, "KeyError")
    assert "hidden" not in span.to_json()
    assert await traced.contexts() == []


async def test_a_change_that_is_not_sampled_has_the_event_that_it_had_without_traces(
    instance: Instance,
) -> None:
    await _traced(instance, ALWAYS_OFF).operations.realms.create(ACTOR, {"realm": "acme"})
    await instance.operations.realms.create(ACTOR, {"realm": "other"})
    sampled, untraced = await instance.log.read(1, 10)
    assert msgspec.json.decode(sampled.payload).keys() == msgspec.json.decode(untraced.payload).keys()
    assert b"traceparent" not in sampled.payload
