"""Clients for whose next secret or key a policy asks."""

import math
from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import bindparam, func, or_, select, true

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.rotation import Kind
from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.tables import clients, rotations
from keyturn_shared.client_authenticators import CLIENT_AUTHENTICATORS

_SECRETS: Final = [each.id for each in CLIENT_AUTHENTICATORS.values() if each.needs_secret]
_OWN: Final = {Kind.SECRET: clients.c.own_rotation_at, Kind.KEY: clients.c.own_key_rotation_at}
"""Time at which a rotation begins by a policy of the client's own."""
_BY: Final = {Kind.SECRET: clients.c.secret_expires_at, Kind.KEY: clients.c.keys_since}
"""Time by which its realm's policy chooses the client."""
_IS_VALID: Final[dict[Kind, Any]] = {
    Kind.SECRET: (clients.c.secret_expires_at > bindparam("now")) & clients.c.authenticator.in_(_SECRETS),
    Kind.KEY: true(),
}
"""Matches clients that authenticate with a credential that has not ended. An expired secret stays expired."""
_automatic: Final = func.lower(func.trim(clients.c.attributes[attributes.ROTATION_AUTOMATIC].as_string()))


class DueRotations:
    """Clients as one connection sees them. Times are NumericDate seconds."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def by_own_policy(
        self, kind: Kind, now: float, *, by_hand: Collection[str] = (), most: int
    ) -> list[tuple[str, str]]:
        """Return realm id and UUID of clients, of all realms, whose own policy asks for their next credential
        and that have no open rotation of it. ``by_hand``: realms whose rotations do not begin by
        themselves."""
        is_by_hand = clients.c.realm_id.in_(by_hand)
        query = (
            select(clients.c.realm_id, clients.c.uuid)
            .where(
                _OWN[kind] <= now,
                _IS_VALID[kind],
                ~_has_open_rotation(kind),
                or_(~is_by_hand & _may_begin(automatic=True), is_by_hand & _may_begin(automatic=False)),
            )
            .order_by(_OWN[kind])
            .limit(most)
        )
        rows = await self._connection.execute(query, {"now": now})
        return [(row.realm_id, row.uuid) for row in rows]

    async def by_realm_policy(
        self, kind: Kind, realm_id: str, now: float, *, until: float, automatic: bool, most: int
    ) -> list[str]:
        """Return UUIDs of a realm's clients, as ``by_own_policy`` does, without a policy of their own.
        ``until``: those whose secret expires by then, or that have their keys since then or longer."""
        query = (
            select(clients.c.uuid)
            .where(
                clients.c.realm_id == realm_id,
                _OWN[kind].is_(None),
                _BY[kind] <= until,
                _IS_VALID[kind],
                ~_has_open_rotation(kind),
                _may_begin(automatic=automatic),
            )
            .order_by(_BY[kind])
            .limit(most)
        )
        return list((await self._connection.execute(query, {"now": now})).scalars())

    async def oldest_keys(self, realm_id: str, *, most: int) -> list[str]:
        """Return UUIDs of the realm's clients that have their keys the longest and no open rotation of them,
        and as many with a policy of their own, in the order of its times."""
        at, since = _OWN[Kind.KEY], _BY[Kind.KEY]
        found: list[str] = []
        for condition, order in ((at.is_not(None), at), (at.is_(None) & since.is_not(None), since)):
            query = (
                select(clients.c.uuid)
                .where(clients.c.realm_id == realm_id, condition, ~_has_open_rotation(Kind.KEY))
                .order_by(order)
                .limit(most)
            )
            found += (await self._connection.execute(query, {"now": math.inf})).scalars()
        return found


def _has_open_rotation(kind: Kind) -> Any:
    """Match clients with an open rotation of the kind, or one that was given up a short while before
    ``now``."""
    of_client = select(rotations.c.id).where(
        rotations.c.client_uuid == clients.c.uuid,
        rotations.c.kind == kind.value,
        rotations.c.is_open | (rotations.c.hold_until > bindparam("now")),
    )
    return of_client.exists()


def _may_begin(*, automatic: bool) -> Any:
    """Match clients whose rotations begin by themselves. ``automatic``: whether their realm's do. Others must
    not be found again and again, in the place of clients whose secret is due."""
    by_itself = func.coalesce(_automatic, "") != "false" if automatic else _automatic == "true"
    never = or_(*(clients.c.document[name].as_boolean().is_(True) for name in ("publicClient", "bearerOnly")))
    return by_itself & func.coalesce(~never, True)
