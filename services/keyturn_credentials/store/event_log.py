"""The event log for the relay (``keyturn_credentials.relay.event_log.EventLog``)."""

from collections.abc import AsyncGenerator, Collection
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    Select,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    update,
)

from keyturn_credentials.relay.event_log import (
    FleetState,
    LoggedEvent,
    LogPoint,
    ProjectionBatch,
    Projections,
)
from keyturn_credentials.store.array_parameters import texts_of
from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.errors import map_driver_errors
from keyturn_credentials.store.tables import (
    event_counter,
    events,
    fleet_state,
    log_identity,
    partition_epochs,
    projections,
    relay_lease,
)
from keyturn_credentials.store.upsert import insert_into
from keyturn_shared.clock import Clock
from keyturn_shared.fleet.partitions import Partitioning

_ONE_ROW: Final = 1

_fleet_state: Final = select(fleet_state)
_partition_epoch: Final = select(partition_epochs.c.epoch).where(
    partition_epochs.c.partition == bindparam("partition")
)
_head: Final = select(event_counter.c.value)
_identity: Final = select(log_identity.c.identity)
_read: Final = (
    select(events.c.sequence, events.c.id, events.c.payload, events.c.touches)
    .where(events.c.sequence >= bindparam("first"))
    .order_by(events.c.sequence)
    .limit(bindparam("most"))
)
_one_projection: Final = select(projections.c.sequence, projections.c.body).where(
    projections.c.field == bindparam("field"), projections.c.body.is_not(None)
)
_newest: Final = select(events.c.sequence, events.c.id).order_by(events.c.sequence.desc()).limit(1).subquery()
_NEWEST: Final = (
    select(_newest.c.sequence).scalar_subquery().label("newest"),
    select(_newest.c.id).scalar_subquery().label("newest_id"),
)
_projections_with_event: Final = {
    on_postgresql: select(projections.c.field, projections.c.sequence, projections.c.body, *_NEWEST)
    .select_from(
        events.outerjoin(
            projections, projections.c.field.in_(texts_of("fields", on_postgresql=on_postgresql))
        )
    )
    .where(events.c.sequence == bindparam("sequence"), events.c.id == bindparam("id"))
    for on_postgresql in (True, False)
}


def _next_projections(place: ColumnElement[Any]) -> Select[Any]:
    columns = (projections.c.field, projections.c.sequence, projections.c.body, *_NEWEST)
    return (
        select(place.label("place"), *columns)
        .where(place > bindparam("after"), projections.c.body.is_not(None))
        .order_by(place)
        .limit(bindparam("most"))
    )


# A row keeps its rowid, and in that order SQLite reads its file from front to back; in the order of fields,
# each row would be on a random page.
_in_order_of: Final[dict[bool, tuple[Select[Any], object]]] = {
    False: (_next_projections(literal_column("projections.rowid", BigInteger)), 0),
    True: (_next_projections(projections.c.field), ""),
}


class DatabaseEventLog:
    """The tables ``events``, ``projections``, ``log_identity``, ``fleet_state``, ``partition_epochs`` and
    ``relay_lease``. Every method raises StoreUnavailableError. Time limits are the engine's."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def identity(self) -> str:
        with map_driver_errors():
            return str((await self._database.find(_identity))[0].identity)

    async def head(self) -> int:
        """Return the newest committed sequence, 0 when there is none."""
        with map_driver_errors():
            # The counter changes in the transaction that writes the event, so both are committed at once.
            return int((await self._database.find(_head))[0].value)

    async def read(self, first: int, limit: int) -> list[LoggedEvent]:
        with map_driver_errors():
            rows = await self._database.find(_read, {"first": first, "most": limit})
        return [LoggedEvent(row.sequence, row.id, row.payload, tuple(row.touches)) for row in rows]

    async def projection(self, field: str) -> tuple[int, bytes] | None:
        """Return sequence and JSON of a projection; None if there is none."""
        with map_driver_errors():
            rows = await self._database.find(_one_projection, {"field": field})
        return (rows[0].sequence, rows[0].body) if rows else None

    async def projections(self, fields: Collection[str], point: LogPoint) -> Projections | None:
        parameters = {"fields": list(fields), "sequence": point.sequence, "id": point.id}
        with map_driver_errors():
            rows = await self._database.find(
                _projections_with_event[self._database.is_postgresql], parameters
            )
        if not rows:
            return None
        states = {row.field: (row.sequence, row.body) for row in rows if row.field is not None}
        return Projections(states, _newest_in(rows[0]))

    async def all_projections(self, batch_size: int) -> AsyncGenerator[ProjectionBatch, None]:
        statement, after = _in_order_of[self._database.is_postgresql]
        while True:
            with map_driver_errors():
                async with self._database.reading() as connection:
                    rows = (await connection.execute(statement, {"after": after, "most": batch_size})).all()
            if not rows:
                return
            found = [(row.field, row.sequence, row.body) for row in rows]
            yield ProjectionBatch(found, _newest_in(rows[-1]))
            after = rows[-1].place

    async def fleet_state(self) -> FleetState:
        with map_driver_errors():
            rows = await self._database.find(_fleet_state)
        if not rows:
            return FleetState()
        return FleetState(rows[0].epoch, rows[0].closed_nonce, Partitioning.parse(rows[0].partitioning))

    async def replace_fleet_state(self, seen: FleetState, state: FleetState) -> bool:
        values = {
            "id": _ONE_ROW,
            "epoch": state.epoch,
            "closed_nonce": state.closed_nonce,
            "partitioning": str(state.partitioning),
        }
        with map_driver_errors():
            async with self._database.writing() as connection:
                insertion = insert_into(fleet_state, on_postgresql=self._database.is_postgresql)
                if seen == FleetState():
                    first = insertion.values(values).on_conflict_do_nothing().returning(fleet_state.c.id)
                    if (await connection.execute(first)).one_or_none() is not None:
                        return True
                unchanged = (
                    (fleet_state.c.epoch == seen.epoch)
                    & fleet_state.c.closed_nonce.is_not_distinct_from(seen.closed_nonce)
                    & (fleet_state.c.partitioning == str(seen.partitioning))
                )
                replaced = update(fleet_state).where(unchanged).values(values).returning(fleet_state.c.id)
                return (await connection.execute(replaced)).one_or_none() is not None

    async def partition_epoch(self, partition: int) -> int:
        with map_driver_errors():
            rows = await self._database.find(_partition_epoch, {"partition": partition})
        return int(rows[0].epoch) if rows else 0

    async def replace_partition_epoch(self, partition: int, seen: int, epoch: int) -> bool:
        with map_driver_errors():
            async with self._database.writing() as connection:
                values = {"partition": partition, "epoch": epoch}
                if seen == 0:
                    first = insert_into(partition_epochs, on_postgresql=self._database.is_postgresql)
                    inserted = first.values(values).on_conflict_do_nothing()
                    rows = await connection.execute(inserted.returning(partition_epochs.c.epoch))
                else:
                    is_seen = (partition_epochs.c.partition == partition) & (partition_epochs.c.epoch == seen)
                    replaced = update(partition_epochs).where(is_seen).values(epoch=epoch)
                    rows = await connection.execute(replaced.returning(partition_epochs.c.epoch))
                return rows.one_or_none() is not None

    async def acquire_relay_lease(self, holder: str, seconds: float) -> bool:
        with map_driver_errors():
            async with self._database.writing() as connection:
                now = await self._now(connection)
                statement = insert_into(relay_lease, on_postgresql=self._database.is_postgresql)
                values = {"id": _ONE_ROW, "holder": holder, "expires_at": now + seconds}
                free = (relay_lease.c.holder == holder) | (relay_lease.c.expires_at <= now)
                taken = await connection.execute(
                    statement.values(values)
                    .on_conflict_do_update(index_elements=["id"], set_=values, where=free)
                    .returning(relay_lease.c.id)
                )
                return taken.one_or_none() is not None

    async def release_relay_lease(self, holder: str) -> None:
        with map_driver_errors():
            async with self._database.writing() as connection:
                await connection.execute(delete(relay_lease).where(relay_lease.c.holder == holder))

    async def _now(self, connection: Connection) -> float:
        """Return the time by one clock for all instances: the database server's, if there is one."""
        if not self._database.is_postgresql:
            return self._clock.now()
        now = await connection.execute(select(func.extract("epoch", func.clock_timestamp())))
        return float(now.scalar_one())


def _newest_in(row: Row[Any]) -> LogPoint:
    return LogPoint() if row.newest is None else LogPoint(row.newest, row.newest_id)
