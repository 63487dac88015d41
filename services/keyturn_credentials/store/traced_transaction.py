"""The span of a transaction that writes events."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import msgspec

from keyturn_credentials.store.database import Database
from keyturn_shared.errors import KeyturnError
from keyturn_shared.events import Event
from keyturn_shared.tracing.ports import Kind, Span, Tracer

_NAME: Final = "transaction"

E = TypeVar("E", bound=Event)


class TracedTransaction:
    """A transaction. Its span begins with it, but is made only if an event is written."""

    def __init__(self, tracer: Tracer, database: str) -> None:
        self._tracer = tracer
        self._database = database
        self._begun = tracer.now()
        self._span: Span | None = None

    def in_event(self, event: E) -> E:
        """Return the event with the context of this transaction, if that is sampled."""
        if self._span is None:
            self._span = self._tracer.begin(
                _NAME, Kind.INTERNAL, {"db.system.name": self._database}, begun=self._begun
            )
        kind = str(event.__struct_config__.tag)
        self._span.note({"keyturn.sequence": event.sequence, "keyturn.event.type": kind})
        traceparent = self._span.traceparent
        return event if traceparent is None else msgspec.structs.replace(event, traceparent=traceparent)

    def end(self, error: BaseException | None = None) -> None:
        """End it: committed, or not because of this error."""
        if self._span is None:
            return
        if error is not None:
            self._span.fail(error.code if isinstance(error, KeyturnError) else type(error).__name__)
        self._span.end()


@contextmanager
def traced(tracer: Tracer | None, database: Database) -> Iterator[TracedTransaction | None]:
    """Yield the traced transaction for the one that the context has, None without a tracer."""
    if tracer is None:
        yield None
        return
    trace = TracedTransaction(tracer, "postgresql" if database.is_postgresql else "sqlite")
    try:
        yield trace
    except BaseException as error:
        trace.end(error)
        raise
    trace.end()
