"""Events and the projections they touch, signed for publishing."""

from collections.abc import Mapping, Sequence

from keyturn_credentials.relay.event_log import LoggedEvent
from keyturn_shared.fleet.relay_channel import Publication
from keyturn_shared.signed_log.signer import LogSigner

Projections = Mapping[str, tuple[int, bytes | None]]
"""Maps a field to the sequence of its last change and its body; the body is None if it was deleted."""


def belong_together(events: Sequence[LoggedEvent], projections: Projections) -> bool:
    """Return whether the projections are at least as new as the events that touch them. Both are committed
    together, so if they are not, the database was restored after the events were read."""
    return all(
        field in projections and projections[field][0] >= event.sequence
        for event in events
        for field in event.touches
    )


def publication(signer: LogSigner, event: LoggedEvent, projections: Projections) -> Publication:
    """Sign an event together with the projections that it touches."""
    touched = []
    for field in event.touches:
        sequence, body = projections[field]
        touched.append((field, sequence, None if body is None else signer.projection(field, sequence, body)))
    return Publication(event.sequence, event.id, signer.event(event.sequence, event.payload), tuple(touched))
