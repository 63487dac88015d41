"""Reads of one realm's event log, for people."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from keyturn_credentials.store.audit_tables import audit
from keyturn_credentials.store.tables import events
from keyturn_credentials.store.unit_of_work import Reading
from keyturn_shared.jose import strict_json
from keyturn_shared.signed_log import envelope

_EVERYWHERE: Final = frozenset(
    {"sequence", "id", "type", "occurred_at", "version", "touches", "traceparent", envelope.MEMBER}
)
_SUBJECT: Final = frozenset({"realm_id", "realm", "client_uuid", "client_id"})


@dataclass(frozen=True, slots=True)
class EventCriteria:
    """Empty members do not filter. ``before`` and ``after``: sequences, both exclusive."""

    type: str | None = None
    client_id: str | None = None
    before: int | None = None
    after: int | None = None


async def read_events(
    reading: Reading, realm_id: str, criteria: EventCriteria, *, most: int
) -> list[dict[str, Any]]:
    """Return a realm's events as they are shown, newest first, at most ``most``."""
    conditions = [events.c.realm_id == realm_id]
    if criteria.type is not None:
        conditions.append(events.c.type == criteria.type)
    if criteria.before is not None:
        conditions.append(events.c.sequence < criteria.before)
    if criteria.after is not None:
        conditions.append(events.c.sequence > criteria.after)
    wanted = select(events).where(*conditions).order_by(events.c.sequence.desc()).limit(most)
    if criteria.client_id is not None:
        # The event's audit entry has the client's id at that time.
        wanted = wanted.join(audit, audit.c.sequence == events.c.sequence).where(
            audit.c.realm_id == realm_id, audit.c.client_id == criteria.client_id
        )
    rows = await reading.connection.execute(wanted)
    return [_shown(strict_json.decode_object(row.payload)) for row in rows]


def _shown(event: dict[str, Any]) -> dict[str, Any]:
    return {
        "sequence": event["sequence"],
        "id": event["id"],
        "type": event["type"],
        "time": event["occurred_at"],
        "client_uuid": event.get("client_uuid"),
        "client_id": event.get("client_id"),
        "details": {name: value for name, value in event.items() if name not in _EVERYWHERE | _SUBJECT},
    }
