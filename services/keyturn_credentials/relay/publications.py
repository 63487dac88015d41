"""Events and the projections they touch, signed for publishing."""

from collections.abc import Sequence

from keyturn_credentials.relay.event_log import LoggedEvent, LogPoint, Projections
from keyturn_shared.fleet.relay_channel import Publication
from keyturn_shared.signed_log.signer import LogSigner


def belong_together(events: Sequence[LoggedEvent], projections: Projections) -> bool:
    """Return whether the projections are at least as new as the events that touch them. Both are committed
    together, so if they are not, the database was restored after the events were read."""
    return all(
        field in projections.states and projections.states[field][0] >= event.sequence
        for event in events
        for field in event.touches
    )


def publications(
    signer: LogSigner,
    previous_id: str,
    events: Sequence[LoggedEvent],
    projections: Projections,
    latest: LogPoint,
) -> list[Publication]:
    """Sign consecutive events, each together with the projections that it touches. ``previous_id``: of the
    event before the first one, empty without one. ``latest``: the newest event that projections in Redis come
    from, as far as the relay knows."""
    made = []
    for event in events:
        known, latest = latest, _latest_after(event, projections, latest)
        made.append(_publication(signer, previous_id, event, projections, known, latest))
        previous_id = event.id
    return made


def latest_of(events: Sequence[LoggedEvent], projections: Projections, latest: LogPoint) -> LogPoint:
    """Return the newest event that projections in Redis come from once these events are published."""
    for event in events:
        latest = _latest_after(event, projections, latest)
    return latest


def _latest_after(event: LoggedEvent, projections: Projections, latest: LogPoint) -> LogPoint:
    newest = max((projections.states[field][0] for field in event.touches), default=0)
    return projections.newest if newest > event.sequence else latest


def _publication(
    signer: LogSigner,
    previous_id: str,
    event: LoggedEvent,
    projections: Projections,
    known: LogPoint,
    latest: LogPoint,
) -> Publication:
    touched = []
    for field in event.touches:
        sequence, body = projections.states[field]
        touched.append((field, sequence, None if body is None else signer.projection(field, sequence, body)))
    payload = signer.event(event.sequence, event.payload)
    return Publication(
        event.sequence,
        event.id,
        previous_id,
        payload,
        tuple(touched),
        known_latest=known.id,
        latest=(latest.sequence, latest.id),
    )
