"""Deletion of expired events."""

from collections.abc import Sequence
from itertools import takewhile
from typing import Any, Final

from sqlalchemy import delete, select

from keyturn_credentials.store.array_parameters import texts_of
from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.tables import event_counter, events, projections
from keyturn_credentials.store.unit_of_work import UnitOfWork

_MARKED: Final = {
    on_postgresql: select(projections.c.field, projections.c.sequence).where(
        projections.c.body.is_(None),
        projections.c.field.in_(texts_of("fields", on_postgresql=on_postgresql)),
    )
    for on_postgresql in (True, False)
}


async def forget_events(transaction: UnitOfWork, before: float, most: int) -> int:
    """Delete at most ``most`` of the oldest events before a time. Return their number.

    The log is shortened at its beginning, so it has no gaps, and never loses its newest event, by which the
    relay recognises whether Redis belongs to this database. A Redis that is further behind is refilled. The
    marks of the projections that an event deleted go with it.
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


async def _forget_marks(connection: Connection, old: Sequence[Any]) -> None:
    """Delete the marks of the projections that these events deleted. Those of a deleted realm's clients
    belong to no event: they stay, since Redis may still have these clients (see ``UnitOfWork.has_used``)."""
    touched = {(field, row.sequence) for row in old for field in row.touches}
    some = {"fields": [field for field, _ in touched]}
    marked = _MARKED[connection.dialect.name == "postgresql"]
    marks = sorted(touched.intersection(map(tuple, await connection.execute(marked, some))))
    for field, sequence in marks:  # it may be in use again: another client may have this name now
        is_this_one = (projections.c.field == field) & (projections.c.sequence == sequence)
        await connection.execute(delete(projections).where(is_this_one, projections.c.body.is_(None)))
