"""The trace context in an event.

It is a member of the event, below the log's signature: it stands in the outbox with the event, and nobody but
the credentials service can write one. It names the span of the transaction. The span of the publication has
an id that follows from the event's, so a node knows its parent although the event was signed before.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

import msgspec

from keyturn_shared.fleet.layout import Layout

_MEMBER: Final = b'"traceparent":"'
_FORM: Final = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})")
_SPAN_ID_OCTETS: Final = 8


class _Traced(msgspec.Struct):
    """The members of an event of any type that matter here."""

    type: str
    id: str
    sequence: int
    traceparent: str


_decoder: Final = msgspec.json.Decoder(_Traced)


@dataclass(frozen=True, slots=True)
class EventContext:
    """The trace context of an event. ``transaction``: the traceparent of the transaction that wrote it."""

    type: str
    event_id: str
    sequence: int
    transaction: str

    @property
    def publication_id(self) -> int:
        """The id of the span of its publication: as good as random, since the event's id is."""
        digest = hashlib.sha256(f"publication {self.event_id}".encode()).digest()
        return int.from_bytes(digest[:_SPAN_ID_OCTETS], "big") or 1

    @property
    def publication(self) -> str:
        """The traceparent of its publication."""
        version, trace_id, _, flags = self.transaction.split("-")
        return f"{version}-{trace_id}-{self.publication_id:016x}-{flags}"

    def attributes(self, operation: str, epoch: int) -> dict[str, str | int | bool]:
        """Return the attributes of a span about this event. ``operation``: ``send`` or ``process``
        (OpenTelemetry's conventions for messaging)."""
        return {
            "messaging.system": "redis",
            "messaging.operation.type": operation,
            "messaging.destination.name": Layout().events,
            "messaging.message.id": self.event_id,
            "keyturn.event.type": self.type,
            "keyturn.sequence": self.sequence,
            "keyturn.epoch": epoch,
        }


def context_of(payload: bytes) -> EventContext | None:
    """Return the context in a genuine event's JSON; None if there is none, or one that cannot be read."""
    if _MEMBER not in payload:
        return None
    try:
        event = _decoder.decode(payload)
    except msgspec.MsgspecError:
        return None
    if _FORM.fullmatch(event.traceparent) is None:
        return None
    return EventContext(event.type, event.id, event.sequence, event.traceparent)
