"""Forgetting what the event log and the audit log have had for long enough."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, select

from keyturn_credentials.store.listed import texts_of
from keyturn_credentials.store.tables import audit, event_counter, events, projections
from keyturn_credentials.store.transaction import Transaction
from keyturn_shared.projection import client_field

_REALM_DELETED: Final = "realm_deleted"


async def forget_events(transaction: Transaction, before: float, most: int) -> int:
    """Forget the oldest events as far as they occurred before a time, at most so many; how many that were.

    The log's beginning goes, so what is left has no gaps, and never its newest event: the relay tells by it
    whether Redis belongs to this database. Redis that is further behind is filled anew. With an event go the
    marks of the projections that it deleted.
    """
    connection = transaction.connection
    head = (await connection.execute(select(event_counter.c.value))).scalar_one()
    oldest = await connection.execute(
        select(events.c.sequence, events.c.type, events.c.realm_id, events.c.touches, events.c.occurred_at)
        .where(events.c.sequence < head)
        .order_by(events.c.sequence)
        .limit(most)
    )
    old = list(takewhile(lambda row: row.occurred_at < before, oldest))
    if old:
        last = old[-1].sequence
        on_postgresql = connection.dialect.name == "postgresql"
        for condition, values in _touched_by(old, on_postgresql=on_postgresql):
            marks = delete(projections).where(projections.c.body.is_(None), projections.c.sequence <= last)
            await connection.execute(marks.where(condition), values)
        await connection.execute(delete(events).where(events.c.sequence <= last))
    return len(old)


def _touched_by(
    rows: Sequence[Any], *, on_postgresql: bool
) -> Iterator[tuple[ColumnElement[bool], Mapping[str, Any]]]:
    """Conditions for the projections that these events touched, with their values."""
    named = projections.c.field.in_(texts_of("fields", on_postgresql=on_postgresql))
    yield named, {"fields": [field for row in rows for field in row.touches]}
    for row in rows:
        if row.type == _REALM_DELETED:  # it does not name the realm's clients, however many they were
            prefix = client_field(row.realm_id, "")
            yield (projections.c.field >= prefix) & (projections.c.field < f"{prefix}\U0010ffff"), {}


async def forget_audit(transaction: Transaction, before: float, most: int) -> int:
    """Forget the oldest audit entries as far as they are from before a time; how many that were."""
    connection = transaction.connection
    oldest = await connection.execute(
        select(audit.c.id, audit.c.occurred_at).order_by(audit.c.id).limit(most)
    )
    old = list(takewhile(lambda row: row.occurred_at < before, oldest))
    if old:
        await connection.execute(delete(audit).where(audit.c.id <= old[-1].id))
    return len(old)
