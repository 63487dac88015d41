"""Webhooks that are to be sent, in the database."""

from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, exists, func, insert, select, update

from keyturn_credentials.domain.notice_webhooks import BACKOFF, Delivery
from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.notice_tables import notice_deliveries

_table: Final = notice_deliveries.c
_earlier: Final = notice_deliveries.alias("earlier")
_has_earlier: Final = exists().where(
    _earlier.c.notice_id == _table.notice_id, _earlier.c.number < _table.number
)
_due: Final = (
    select(notice_deliveries)
    # One that is further away than the longest pause was stored before a clock was set back.
    .where((_table.next_at <= bindparam("now")) | (_table.next_at > bindparam("furthest")), ~_has_earlier)
    .order_by(_table.next_at)
    .limit(bindparam("most"))
)


class NoticeDeliveries:
    """The webhooks as one connection sees them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def insert(self, delivery: Delivery) -> None:
        row = {name: getattr(delivery, name) for name in ("id", "notice_id", "body", "created_at")}
        row |= {"next_at": delivery.next_at, "attempts": delivery.attempts}
        await self._connection.execute(insert(notice_deliveries), row)

    async def due(self, now: float, *, most: int) -> list[Delivery]:
        """Return webhooks to send now, the longest overdue first. One of a notice waits for the one
        before it."""
        values = {"now": now, "furthest": now + BACKOFF.longest, "most": most}
        return [_delivery(row) for row in await self._connection.execute(_due, values)]

    async def count_attempt(self, delivery: Delivery, *, next_at: float) -> bool:
        """Count an attempt before it is made. Return whether nobody else has made it."""
        wanted = (
            update(notice_deliveries)
            .where(_table.id == delivery.id, _table.attempts == delivery.attempts)
            .values(attempts=delivery.attempts + 1, next_at=next_at)
            .returning(_table.id)
        )
        return (await self._connection.execute(wanted)).one_or_none() is not None

    async def delete(self, delivery: Delivery) -> None:
        await self._connection.execute(delete(notice_deliveries).where(_table.id == delivery.id))

    async def oldest(self) -> float | None:
        """Return when the oldest one was made; None if all were received."""
        found = await self._connection.execute(select(func.min(_table.created_at)))
        at: float | None = found.scalar_one()
        return at


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        notice_id=row.notice_id,
        body=bytes(row.body),
        created_at=row.created_at,
        next_at=row.next_at,
        attempts=row.attempts,
    )
