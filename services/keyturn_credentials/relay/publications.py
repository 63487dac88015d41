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


def publications(
    signer: LogSigner, previous_id: str, events: Sequence[LoggedEvent], projections: Projections
) -> list[Publication]:
    """Sign consecutive events, each together with the projections that it touches. ``previous_id``: of the
    event before the first one, empty without one."""
    previous = [previous_id, *(event.id for event in events)]
    return [
        _publication(signer, before, event, projections)
        for before, event in zip(previous, events, strict=False)
    ]


def _publication(
    signer: LogSigner, previous_id: str, event: LoggedEvent, projections: Projections
) -> Publication:
    touched = []
    for field in event.touches:
        sequence, body = projections[field]
        touched.append((field, sequence, None if body is None else signer.projection(field, sequence, body)))
    payload = signer.event(event.sequence, event.payload)
    return Publication(event.sequence, event.id, previous_id, payload, tuple(touched))
