"""The application of events as spans."""

from collections.abc import Callable
from typing import Final

from keyturn_shared.position import Position
from keyturn_shared.tracing.event_context import context_of
from keyturn_shared.tracing.ports import Kind, Tracer
from keyturn_verifier.replica.event_applier import EventApplier, Invalidatable, SignedLog

_NAME: Final = "apply"


class TracedApplier(EventApplier):
    """Applies like EventApplier, with a span for each traced event.

    The context is read only once the position has moved to the event: its signature was then checked. Events
    without a context, and requests, have no span.
    """

    def __init__(
        self, states: Invalidatable, log: SignedLog, moved: Callable[[Position], None], tracer: Tracer
    ) -> None:
        super().__init__(states, log, moved)
        self._tracer = tracer

    def apply(self, at: Position, payload: bytes) -> None:
        before, jumps, begun = self.position, self.jumps, self._tracer.now()
        super().apply(at, payload)
        if self.position == before:
            return
        context = context_of(payload)
        if context is None:
            return
        attributes = context.attributes("process", at.epoch)
        attributes["keyturn.everything_dropped"] = self.jumps > jumps
        self._tracer.begin(_NAME, Kind.CONSUMER, attributes, begun=begun, parent=context.publication).end()
