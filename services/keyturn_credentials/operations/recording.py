"""Writing of a changed client or realm with its projection and its event."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.projection_builder import Projector
from keyturn_credentials.domain.realm import Realm, RealmKey
from keyturn_credentials.operations.subjects import changed_subjects, require_free_subjects, subjects_of
from keyturn_credentials.store.unit_of_work import LogEntry, Stamp, UnitOfWork
from keyturn_shared.events import Event, RealmUpdated
from keyturn_shared.projection import Projection, SubjectProjection, client_field, realm_field


@dataclass(frozen=True, slots=True)
class ClientRecord:
    """A change of a client to be recorded. ``stamp``: set if the change has already taken one."""

    event_type: Callable[..., Event]
    before: Client | None
    after: Client | None
    stamp: Stamp | None = None
    details: Mapping[str, Any] | None = None


async def record_clients(
    transaction: UnitOfWork, projector: Projector, realm: Realm, records: Sequence[ClientRecord]
) -> int:
    """Append an event for each client. Return the last sequence."""
    if not records:
        return 0
    subjects = subjects_of([record.after for record in records])
    if len(records) == 1:
        return await _record_client(transaction, projector, realm, records[0], subjects)
    unstamped = sum(record.stamp is None for record in records)
    fresh = iter(await transaction.stamps(unstamped) if unstamped else ())
    await require_free_subjects(transaction, realm, [(each.before, each.after) for each in records])
    entries = [
        _client_entry(projector, realm, record, record.stamp or next(fresh), subjects) for record in records
    ]
    touched = [field for entry in entries for field in entry.changed]
    if len(set(touched)) == len(touched):
        await transaction.append_all(entries)
    else:  # in the order of the changes: one may take another's former name
        for entry in entries:
            await transaction.append(entry)
    return max((entry.event.sequence for entry in entries), default=0)


async def _record_client(
    transaction: UnitOfWork,
    projector: Projector,
    realm: Realm,
    record: ClientRecord,
    subjects: Mapping[str, SubjectProjection],
) -> int:
    stamp = record.stamp or await transaction.stamp()
    await require_free_subjects(transaction, realm, [(record.before, record.after)])
    await transaction.append(_client_entry(projector, realm, record, stamp, subjects))
    return stamp.sequence


def _client_entry(
    projector: Projector,
    realm: Realm,
    record: ClientRecord,
    stamp: Stamp,
    subjects: Mapping[str, SubjectProjection],
) -> LogEntry:
    before, after = record.before, record.after
    changed: dict[str, Projection | None] = {}
    if before is not None and (after is None or after.client_id != before.client_id):
        changed[client_field(realm.id, before.client_id)] = None
    if after is not None:
        changed[client_field(realm.id, after.client_id)] = projector.project_client(realm, after)
    changed |= changed_subjects(before, after, subjects)
    subject = after or before
    assert subject is not None, "an event about a client must have a client"  # noqa: S101 - both None is a mistake in code
    client = {"client_uuid": subject.uuid, "client_id": subject.client_id}
    return _entry(record.event_type, realm, changed, stamp, record.details, **client)


async def record_realm(
    transaction: UnitOfWork,
    projector: Projector,
    event_type: Callable[..., Event],
    *,
    before: Realm | None = None,
    after: Realm | None = None,
    keys: list[RealmKey] | None = None,
    stamp: Stamp | None = None,
    details: Mapping[str, Any] | None = None,
) -> int:
    """Append an event about a realm. Return its sequence. ``keys`` are the signing keys of ``after``."""
    changed: dict[str, Projection | None] = {}
    if before is not None and (after is None or after.name != before.name):
        changed[realm_field(before.name)] = None
    if after is not None:
        changed[realm_field(after.name)] = projector.project_realm(after, keys or ())
    subject = after or before
    assert subject is not None, "an event about a realm must have a realm"  # noqa: S101 - both None is a mistake in code
    return await _record(transaction, event_type, subject, changed, stamp, details)


async def record_projections(
    transaction: UnitOfWork, realm: Realm, changed: Mapping[str, Projection | None], *, reason: str
) -> int:
    """Append an event with new projections of unchanged clients. Return its sequence."""
    details = {"reason": reason, "clients": len(changed)}
    return await _record(transaction, RealmUpdated, realm, changed, None, details)


async def _record(
    transaction: UnitOfWork,
    event_type: Callable[..., Event],
    realm: Realm,
    changed: Mapping[str, Projection | None],
    stamp: Stamp | None,
    details: Mapping[str, Any] | None,
) -> int:
    stamp = stamp or await transaction.stamp()
    await transaction.append(_entry(event_type, realm, changed, stamp, details))
    return stamp.sequence


def _entry(
    event_type: Callable[..., Event],
    realm: Realm,
    changed: Mapping[str, Projection | None],
    stamp: Stamp,
    details: Mapping[str, Any] | None,
    **client: str,
) -> LogEntry:
    event = event_type(
        sequence=stamp.sequence,
        id=stamp.id,
        occurred_at=stamp.occurred_at,
        touches=tuple(changed),
        realm_id=realm.id,
        realm=realm.name,
        **client,
    )
    return LogEntry(event=event, changed=changed, realm_id=realm.id, details=details, **client)
