"""Rotations in the database."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, func, insert, select, update

from keyturn_credentials.domain.rotation import Alert, Kind, Move, Reason, RotatedKeys, Rotation, State
from keyturn_credentials.domain.rotation_failure import Failure, FailureCode
from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.errors import conflict
from keyturn_credentials.store.tables import rotations

MAX_ENDED: Final = 100
"""Ended rotations that are kept for each client."""

_by_id: Final = select(rotations).where(
    rotations.c.realm_id == bindparam("realm_id"), rotations.c.id == bindparam("id")
)
_by_id_for_change: Final = _by_id.with_for_update()
_reschedule: Final = (
    update(rotations)
    .where(rotations.c.id == bindparam("of_id"), rotations.c.next_at <= bindparam("seen"))
    .values(next_at=bindparam("at"))
)


class Rotations:
    """The rotations as one connection sees them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def insert(self, rotation: Rotation, *, next_at: float) -> None:
        """Insert a rotation, and delete the client's oldest ones beyond ``MAX_ENDED``. Raises ConflictError
        if the client has an open one of the kind."""
        with conflict("this credential is being rotated already"):
            await self._connection.execute(insert(rotations), _row(rotation, next_at=next_at))
        ended = (rotations.c.client_uuid == rotation.client_uuid) & ~rotations.c.is_open
        kept = select(rotations.c.id).where(ended).order_by(rotations.c.created_at.desc()).limit(MAX_ENDED)
        await self._connection.execute(delete(rotations).where(ended, rotations.c.id.not_in(kept)))

    async def get(self, realm_id: str, rotation_id: str) -> Rotation | None:
        return await self._one(_by_id, realm_id, rotation_id)

    async def get_for_change(self, realm_id: str, rotation_id: str) -> Rotation | None:
        """Get a rotation, and lock it until the transaction ends."""
        return await self._one(_by_id_for_change, realm_id, rotation_id)

    async def update(self, rotation: Rotation, *, next_at: float, hold_until: float | None = None) -> None:
        row = _row(rotation, next_at=next_at) | {"hold_until": hold_until}
        await self._connection.execute(update(rotations).where(rotations.c.id == rotation.id).values(row))

    async def reschedule(self, times: Mapping[str, float], *, now: float) -> None:
        """Set when rotations are evaluated again, unless another instance has done so since ``now``."""
        if times:
            rows = [{"of_id": name, "at": at, "seen": now} for name, at in times.items()]
            await self._connection.execute(_reschedule, rows)

    async def of_client(self, client_uuid: str, *, most: int) -> list[Rotation]:
        """Return a client's rotations, newest first."""
        return await self._some(rotations.c.client_uuid == client_uuid, most=most)

    async def open_of_client(self, client_uuid: str) -> list[Rotation]:
        """Return a client's open rotations, one of each kind at most."""
        return await self._some((rotations.c.client_uuid == client_uuid) & rotations.c.is_open, most=10)

    async def open_of_clients(self, client_uuids: Collection[str]) -> dict[str, list[Rotation]]:
        """Return the open rotations of these clients, by client."""
        found: dict[str, list[Rotation]] = {}
        if client_uuids:
            wanted = rotations.c.client_uuid.in_(client_uuids) & rotations.c.is_open
            for row in await self._connection.execute(select(rotations).where(wanted)):
                found.setdefault(row.client_uuid, []).append(_rotation(row))
        return found

    async def open_page(self, after: str, *, most: int) -> list[Rotation]:
        """Return open rotations of all realms in order of their clients' UUIDs, of those after one. The last
        client may have a further one, which is not returned."""
        query = (
            select(rotations)
            .where(rotations.c.is_open, rotations.c.client_uuid > after)
            .order_by(rotations.c.client_uuid, rotations.c.kind)
            .limit(most)
        )
        return [_rotation(row) for row in await self._connection.execute(query)]

    async def of_realm(
        self, realm_id: str, states: Collection[State], *, most: int, kind: Kind | None = None
    ) -> list[Rotation]:
        """Return a realm's rotations, newest first. ``states``: only in these; empty: in any. ``kind``: only
        of this one; None: of any."""
        wanted = rotations.c.realm_id == realm_id
        if kind is not None:
            wanted &= rotations.c.kind == kind.value
        if states:
            wanted &= rotations.c.state.in_([state.value for state in states])
        return await self._some(wanted, most=most)

    async def due(self, now: float, *, most: int) -> list[Rotation]:
        """Return open rotations whose conditions are to be evaluated, the longest overdue first."""
        query = (
            select(rotations)
            .where(rotations.c.is_open, rotations.c.next_at <= now)
            .order_by(rotations.c.next_at)
            .limit(most)
        )
        return [_rotation(row) for row in await self._connection.execute(query)]

    async def count(self) -> dict[tuple[State, bool], int]:
        """Count open rotations by state, and by whether they have an alert."""
        alert = rotations.c.document["alert"].as_string()
        query = (
            select(rotations.c.state, alert.is_not(None).label("alerts"), func.count())
            .where(rotations.c.is_open)
            .group_by(rotations.c.state, alert.is_not(None))
        )
        rows = (tuple(row) for row in await self._connection.execute(query))
        return {(State(state), bool(alerts)): int(count) for state, alerts, count in rows}

    async def count_under_way(self, realm_id: str, kind: Kind) -> int:
        """Count the rotations of a realm that began by policy and have not ended: those for which there is a
        successor, or its client has been asked for one and has some time left to answer."""
        document = rotations.c.document
        is_asked = document["deadline"].as_string().is_not(None) & document["alert"].as_string().is_(None)
        query = select(func.count()).where(
            rotations.c.realm_id == realm_id,
            rotations.c.is_open,
            rotations.c.kind == kind.value,
            rotations.c.reason == Reason.POLICY.value,
            (rotations.c.state != State.PLANNED.value) | is_asked,
        )
        return int((await self._connection.execute(query)).scalar_one())

    async def _one(self, query: Any, realm_id: str, rotation_id: str) -> Rotation | None:
        found = await self._connection.execute(query, {"realm_id": realm_id, "id": rotation_id})
        row = found.one_or_none()
        return None if row is None else _rotation(row)

    async def _some(self, condition: Any, *, most: int) -> list[Rotation]:
        query = (
            select(rotations)
            .where(condition)
            .order_by(rotations.c.created_at.desc(), rotations.c.id)
            .limit(most)
        )
        return [_rotation(row) for row in await self._connection.execute(query)]


_OPTIONAL: Final = ("deadline", "retire_at", "former_expires_at", "disabled_since")


def _row(rotation: Rotation, *, next_at: float) -> dict[str, Any]:
    return {
        "id": rotation.id,
        "realm_id": rotation.realm_id,
        "client_uuid": rotation.client_uuid,
        "kind": rotation.kind.value,
        "reason": rotation.reason.value,
        "state": rotation.state.value,
        "is_open": rotation.state.is_open,
        "created_at": rotation.created_at,
        "next_at": next_at,
        "document": {
            "start_at": rotation.start_at,
            "overlap": rotation.overlap,
            "paused": rotation.paused,
            "delivered": rotation.delivered,
            "self_service": rotation.self_service,
            "alert": None if rotation.alert is None else rotation.alert.value,
            "history": [[move.state.value, move.at, move.sequence] for move in rotation.history],
            "failed_steps": rotation.failed_steps,
            "failure": None if rotation.failure is None else asdict(rotation.failure),
            **({} if rotation.keys is None else {"keys": asdict(rotation.keys)}),
            **{name: getattr(rotation, name) for name in _OPTIONAL},
        },
    }


def _rotation(row: Row[Any]) -> Rotation:
    kept = row.document
    alert = kept.get("alert")
    return Rotation(
        id=row.id,
        realm_id=row.realm_id,
        client_uuid=row.client_uuid,
        kind=Kind(row.kind),
        reason=Reason(row.reason),
        created_at=row.created_at,
        start_at=kept["start_at"],
        overlap=kept["overlap"],
        paused=kept["paused"],
        delivered=kept["delivered"],
        self_service=kept.get("self_service", False),
        alert=None if alert is None else Alert(alert),
        history=tuple(Move(State(state), at, sequence) for state, at, sequence in kept["history"]),
        keys=None if "keys" not in kept else _keys(kept["keys"]),
        failed_steps=kept.get("failed_steps", 0),
        failure=_failure(kept.get("failure")),
        **{name: kept.get(name) for name in _OPTIONAL},
    )


def _keys(kept: Mapping[str, Any]) -> RotatedKeys:
    former = kept["former"]
    return RotatedKeys(
        former=None if former is None else tuple(former),
        successors=tuple(kept["successors"]),
        published=kept["published"],
        certificate=kept["certificate"],
    )


def _failure(kept: Mapping[str, str] | None) -> Failure | None:
    return None if kept is None else Failure(FailureCode(kept["code"]), kept["detail"])
