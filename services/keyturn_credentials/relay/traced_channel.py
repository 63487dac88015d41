"""The relay's channel to Redis, with a span for each publication of a traced event."""

from collections.abc import Sequence

from keyturn_shared.fleet.relay_channel import LeaseTerms, Publication, Published, RelayChannel
from keyturn_shared.fleet.scripts import Scripts
from keyturn_shared.tracing.event_context import context_of
from keyturn_shared.tracing.ports import Kind, Tracer


class TracedChannel(RelayChannel):
    """Publishes like RelayChannel. Only what a call has published gets a span: two relays may offer one
    event."""

    def __init__(self, scripts: Scripts, terms: LeaseTerms, tracer: Tracer) -> None:
        super().__init__(scripts, terms)
        self._tracer = tracer

    async def publish(self, epoch: int, publications: Sequence[Publication]) -> list[Published]:
        begun = self._tracer.now()
        outcomes = await super().publish(epoch, publications)
        for publication, outcome in zip(publications, outcomes, strict=True):
            if outcome is Published.PUBLISHED:
                self._note(publication, epoch, begun)
        return outcomes

    def _note(self, publication: Publication, epoch: int, begun: int) -> None:
        context = context_of(publication.payload)
        if context is None:
            return
        span = self._tracer.begin(
            "publish",
            Kind.PRODUCER,
            context.attributes("send", epoch),
            begun=begun,
            parent=context.transaction,
            span_id=context.publication_id,
        )
        span.end()
