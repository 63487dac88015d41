"""Open notices in the database."""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, func, select, update

from keyturn_credentials.domain.notice_kinds import KINDS
from keyturn_credentials.domain.notices import DeliveryState, Notice
from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.notice_tables import notices
from keyturn_credentials.store.upsert import insert_into

_known: Final = notices.c.code.in_(list(KINDS))
"""Matches kinds that this build knows: a later one may have run before."""
_update: Final = (
    update(notices).where(notices.c.id == bindparam("of_id")).values(document=bindparam("document"))
)
_DOCUMENT: Final = ("realm", "client_id", "kid", "rotation_id", "ends_at", "detail")


class Notices:
    """The notices as one connection sees them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def open(self, notice: Notice) -> bool:
        """Store a notice. Return whether it was new: its cause may have one, from another instance."""
        on_postgresql = self._connection.dialect.name == "postgresql"
        statement = insert_into(notices, on_postgresql=on_postgresql).values(_row(notice))
        ignoring = statement.on_conflict_do_nothing(index_elements=["realm_id", "subject", "code"])
        return (await self._connection.execute(ignoring.returning(notices.c.id))).one_or_none() is not None

    async def update(self, notice: Notice) -> None:
        await self._connection.execute(_update, {"of_id": notice.id, "document": _document(notice)})

    async def close(self, notice: Notice) -> Notice | None:
        """Delete a notice. Return it as it was stored; None if another instance has closed it."""
        wanted = delete(notices).where(notices.c.id == notice.id).returning(notices)
        row = (await self._connection.execute(wanted)).one_or_none()
        return None if row is None else _notice(row)

    async def note_delivery(self, notice_id: str, state: DeliveryState, *, was: DeliveryState | None) -> bool:
        """Set the state of the webhook of the opening. Return whether it was in the state before."""
        before = notices.c.delivery.is_(None) if was is None else notices.c.delivery == was.value
        wanted = update(notices).where(notices.c.id == notice_id, before).values(delivery=state.value)
        return (await self._connection.execute(wanted.returning(notices.c.id))).one_or_none() is not None

    async def of_clients(self, client_uuids: Collection[str]) -> list[Notice]:
        """Return the notices about these clients."""
        if not client_uuids:
            return []
        return await self._some(notices.c.client_uuid.in_(client_uuids))

    async def of_realm_keys(self, realm_id: str) -> list[Notice]:
        """Return the notices about the keys of a realm."""
        return await self._some((notices.c.realm_id == realm_id) & notices.c.subject.startswith("key:"))

    async def newest(self, realm_id: str, *, before: int | None = None, most: int) -> list[Notice]:
        """Return a realm's notices, newest first, of those before a number."""
        query = select(notices).where(notices.c.realm_id == realm_id, _known)
        if before is not None:
            query = query.where(notices.c.number < before)
        found = await self._connection.execute(query.order_by(notices.c.number.desc()).limit(most))
        return [_notice(row) for row in found]

    async def page(self, after: int, *, most: int) -> list[Notice]:
        """Return notices of all realms in the order of their opening, of those after a number."""
        query = select(notices).where(notices.c.number > after, _known).order_by(notices.c.number)
        return [_notice(row) for row in await self._connection.execute(query.limit(most))]

    async def count(self, realm_id: str | None = None) -> dict[str, int]:
        """Count the notices by code, of a realm or of all."""
        query = select(notices.c.code, func.count()).group_by(notices.c.code)
        if realm_id is not None:
            query = query.where(notices.c.realm_id == realm_id)
        return {code: int(count) for code, count in map(tuple, await self._connection.execute(query))}

    async def _some(self, condition: Any) -> list[Notice]:
        found = await self._connection.execute(select(notices).where(condition, _known))
        return [_notice(row) for row in found]


def _row(notice: Notice) -> dict[str, Any]:
    return {
        "id": notice.id,
        "realm_id": notice.realm_id,
        "subject": notice.subject,
        "code": notice.code,
        "client_uuid": notice.client_uuid,
        "opened_at": notice.since,
        "delivery": None if notice.delivery is None else notice.delivery.value,
        "document": _document(notice),
    }


def _document(notice: Notice) -> dict[str, Any]:
    return {name: getattr(notice, name) for name in _DOCUMENT}


def _notice(row: Row[Any]) -> Notice:
    return Notice(
        id=row.id,
        realm_id=row.realm_id,
        subject=row.subject,
        code=row.code,
        since=row.opened_at,
        client_uuid=row.client_uuid,
        delivery=None if row.delivery is None else DeliveryState(row.delivery),
        number=row.number,
        **{name: row.document.get(name) for name in _DOCUMENT},
    )
