"""Clients for whose next key a policy asks."""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import or_, select

from keyturn_credentials.domain.rotation import Kind
from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.rotations import has_open_rotation, may_begin
from keyturn_credentials.store.tables import clients

_HAS_NONE_OPEN: Final = ~has_open_rotation(Kind.KEY)
_AT: Final = clients.c.own_key_rotation_at
_SINCE: Final = clients.c.keys_since


class DueKeyRotations:
    """Clients as one connection sees them. Times are NumericDate seconds."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def by_own_policy(
        self, now: float, *, by_hand: Collection[str] = (), most: int
    ) -> list[tuple[str, str]]:
        """Return realm id and UUID of clients, of all realms, whose own policy asks for their next key and
        that have no open rotation. ``by_hand``: realms whose rotations do not begin by themselves."""
        is_by_hand = clients.c.realm_id.in_(by_hand)
        query = (
            select(clients.c.realm_id, clients.c.uuid)
            .where(
                now >= _AT,
                _HAS_NONE_OPEN,
                or_(~is_by_hand & may_begin(automatic=True), is_by_hand & may_begin(automatic=False)),
            )
            .order_by(_AT)
            .limit(most)
        )
        rows = await self._connection.execute(query, {"now": now})
        return [(row.realm_id, row.uuid) for row in rows]

    async def by_realm_policy(
        self, realm_id: str, now: float, *, before: float, automatic: bool, most: int
    ) -> list[str]:
        """Return UUIDs of a realm's clients, as ``by_own_policy`` does, that have their keys since ``before``
        or longer, and no policy of their own."""
        conditions = (before >= _SINCE, _HAS_NONE_OPEN, may_begin(automatic=automatic))
        return await self._of_realm(*conditions, realm_id=realm_id, now=now, most=most)

    async def oldest(self, realm_id: str, *, most: int) -> list[str]:
        """Return UUIDs of the realm's clients that have their keys the longest, those with a policy of their
        own in the order of its times."""
        own = select(clients.c.uuid).where(clients.c.realm_id == realm_id, _AT.is_not(None))
        soonest = (await self._connection.execute(own.order_by(_AT).limit(most))).scalars()
        return [*soonest, *await self._of_realm(_SINCE.is_not(None), realm_id=realm_id, now=0.0, most=most)]

    async def _of_realm(self, *conditions: Any, realm_id: str, now: float, most: int) -> list[str]:
        query = (
            select(clients.c.uuid)
            .where(clients.c.realm_id == realm_id, _AT.is_(None), *conditions)
            .order_by(_SINCE)
            .limit(most)
        )
        return list((await self._connection.execute(query, {"now": now})).scalars())
