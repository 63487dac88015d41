"""Reads of the audit log."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, or_, select

from keyturn_credentials.store.audit_tables import audit
from keyturn_credentials.store.unit_of_work import Reading

_LOOKED_AT: Final = 100
_GIVE_KEYS: Final = ("client_created", "client_keys_changed")
_ACTORS: Final = (audit.c.actor_client_id, audit.c.actor_subject, audit.c.actor_name)
_KEY_ATTRIBUTES: Final = ("attributes.jwks.", "attributes.use.jwks.", "attributes.jwt.credential.")


@dataclass(frozen=True, slots=True)
class AuditCriteria:
    """Empty members do not filter. ``actor``: a client id, or a person's subject or name. ``since`` and
    ``until``: NumericDate seconds, the second exclusive. ``before`` and ``after``: numbers of entries, both
    exclusive."""

    client_uuid: str | None = None
    client_id: str | None = None
    actor: str | None = None
    action: str | None = None
    since: float | None = None
    until: float | None = None
    before: int | None = None
    after: int | None = None


async def read_audit(
    reading: Reading, realm_id: str, criteria: AuditCriteria, *, most: int, oldest_first: bool = False
) -> list[dict[str, Any]]:
    """Return a realm's entries as they are shown, newest first by default, at most ``most``."""
    conditions = [audit.c.realm_id == realm_id]
    exact = (
        (audit.c.client_uuid, criteria.client_uuid),
        (audit.c.client_id, criteria.client_id),
        (audit.c.action, criteria.action),
    )
    conditions += [column == wanted for column, wanted in exact if wanted is not None]
    if criteria.actor is not None:
        conditions.append(or_(*(column == criteria.actor for column in _ACTORS)))
    if criteria.since is not None:
        conditions.append(audit.c.occurred_at >= criteria.since)
    if criteria.until is not None:
        conditions.append(audit.c.occurred_at < criteria.until)
    if criteria.before is not None:
        conditions.append(audit.c.id < criteria.before)
    if criteria.after is not None:
        conditions.append(audit.c.id > criteria.after)
    order = audit.c.id if oldest_first else audit.c.id.desc()
    rows = await reading.connection.execute(select(audit).where(*conditions).order_by(order).limit(most))
    return [_shown(row) for row in rows]


async def keys_set_at(reading: Reading, client_uuid: str) -> float | None:
    """Return when the client's current keys were set, as far as the newest entries say; NumericDate."""
    wanted = (
        select(audit.c.action, audit.c.occurred_at, audit.c.details)
        .where(audit.c.client_uuid == client_uuid)
        .order_by(audit.c.id.desc())
        .limit(_LOOKED_AT)
    )
    for row in await reading.connection.execute(wanted):
        changed = row.details.get("changed", ())
        if row.action in _GIVE_KEYS or any(name.startswith(_KEY_ATTRIBUTES) for name in changed):
            return float(row.occurred_at)
    return None


def _shown(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "time": row.occurred_at,
        "action": row.action,
        "sequence": row.sequence,
        "client_uuid": row.client_uuid,
        "client_id": row.client_id,
        "actor": _shown_actor(row),
        "remote_address": row.remote_address,
        "details": row.details,
    }


def _shown_actor(row: Row[Any]) -> dict[str, Any]:
    if row.actor_subject is None:
        return {"realm": row.actor_realm, "client_id": row.actor_client_id}
    person = {"issuer": row.actor_issuer, "subject": row.actor_subject, "name": row.actor_name}
    return {"realm": None, "client_id": None, "person": person}
