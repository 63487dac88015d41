"""Forgetting what the event log and the audit log have had for long enough."""

from collections.abc import Sequence
from itertools import takewhile
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from keyturn_credentials.store.listed import texts_of
from keyturn_credentials.store.tables import audit, event_counter, events, projections
from keyturn_credentials.store.transaction import Transaction

_MARKED: Final = {
    on_postgresql: select(projections.c.field, projections.c.sequence).where(
        projections.c.body.is_(None),
        projections.c.field.in_(texts_of("fields", on_postgresql=on_postgresql)),
    )
    for on_postgresql in (True, False)
}


async def forget_events(transaction: Transaction, before: float, most: int) -> int:
    """Forget the oldest events as far as they occurred before a time, at most so many; how many that were.

    The log's beginning goes, so what is left has no gaps, and never its newest event: the relay tells by it
    whether Redis belongs to this database. Redis that is further behind is filled anew. With an event go the
    marks of the projections that it deleted.
    """
    connection = transaction.connection
    head = (await connection.execute(select(event_counter.c.value))).scalar_one()
    oldest = await connection.execute(
        select(events.c.sequence, events.c.touches, events.c.occurred_at)
        .where(events.c.sequence < head)
        .order_by(events.c.sequence)
        .limit(most)
    )
    old = list(takewhile(lambda row: row.occurred_at < before, oldest))
    if old:
        await _forget_marks(connection, old)
        await connection.execute(delete(events).where(events.c.sequence <= old[-1].sequence))
    return len(old)


async def _forget_marks(connection: AsyncConnection, old: Sequence[Any]) -> None:
    """Of the projections that these events deleted. Those of a deleted realm's clients are no event's: they
    stay, since Redis may have these clients still (see ``Transaction.knows_clients_of``)."""
    touched = {(field, row.sequence) for row in old for field in row.touches}
    some = {"fields": [field for field, _ in touched]}
    marked = _MARKED[connection.dialect.name == "postgresql"]
    marks = sorted(touched.intersection(map(tuple, await connection.execute(marked, some))))
    for field, sequence in marks:  # which it may not be any more: a client may have its name by now
        is_this_one = (projections.c.field == field) & (projections.c.sequence == sequence)
        await connection.execute(delete(projections).where(is_this_one, projections.c.body.is_(None)))


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
