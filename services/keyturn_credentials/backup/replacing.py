"""Replacement of everything in a database by the rows of a backup, within one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection as SynchronousConnection
from sqlalchemy import inspect, select, text

from keyturn_credentials.backup.contents import Header, TableShape, Value, ValueKind
from keyturn_credentials.backup.errors import BackupError
from keyturn_credentials.backup.restored_fleet import restored_fleet_state, restored_partition_epochs
from keyturn_credentials.backup.tables import OUR_TABLES, PARTS_INDEX, reflected, revision_of, shapes_of
from keyturn_credentials.domain.roles import MASTER, Principal
from keyturn_credentials.relay.event_log import FleetState
from keyturn_credentials.store.audit_tables import audit
from keyturn_credentials.store.audit_writing import audit_row
from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.migrate import upgrade
from keyturn_credentials.store.tables import fleet_state, partition_epochs, realms
from keyturn_shared.fleet.partitions import Partitioning
from keyturn_shared.sealing import KeyRing

_SEQUENCE: Final = text("SELECT pg_get_serial_sequence(:table, :column)")
_NEWEST: Final = text("SELECT max(occurred_at) FROM events")


@dataclass(frozen=True, slots=True)
class Present:
    """The contents of a database before it is replaced. ``newest_at``: NumericDate seconds of the newest
    change, None if the log has none."""

    revision: str
    realms: int
    clients: int
    head: int
    newest_at: float | None

    @property
    def is_empty(self) -> bool:
        return self.realms == 0 and self.head == 0


async def present_in(connection: Connection) -> Present | None:
    """Return what a database has; None if it has no tables of keyturn. Raises BackupError if it has some
    without a revision."""
    revision = await connection.run_sync(revision_of)
    if revision is None:
        if await connection.run_sync(_has_tables):
            raise BackupError("the database has tables with the names of keyturn's, but was not made by it")
        return None
    counts = [
        int((await connection.execute(text(statement))).scalar_one() or 0)
        for statement in (
            "SELECT count(*) FROM realms",
            "SELECT count(*) FROM clients",
            "SELECT max(value) FROM event_counter",
        )
    ]
    newest = (await connection.execute(_NEWEST)).scalar_one()
    return Present(revision, counts[0], counts[1], counts[2], newest)


def _has_tables(connection: SynchronousConnection) -> bool:
    return not OUR_TABLES.isdisjoint(inspect(connection).get_table_names())


async def make_schema(connection: Connection, revision: str) -> None:
    """Drop all tables of keyturn, and make those of a revision, empty."""
    await connection.run_sync(_drop_all)
    await connection.run_sync(upgrade, revision)
    for shape in reversed(await connection.run_sync(shapes_of)):
        await connection.exec_driver_sql(f'DELETE FROM "{shape.name}"')  # noqa: S608 - a name from the schema


def _drop_all(connection: SynchronousConnection) -> None:
    on_postgresql = connection.dialect.name == "postgresql"
    tables = [table.name for table in reversed(reflected(connection).sorted_tables)]
    if on_postgresql:
        if tables:
            names = ", ".join(f'"{name}"' for name in tables)
            connection.exec_driver_sql(f"DROP TABLE {names}")
        connection.exec_driver_sql("DROP FUNCTION IF EXISTS keyturn_parts(text)")
        return
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {PARTS_INDEX}")
    for name in tables:
        connection.exec_driver_sql(f'DROP TABLE "{name}"')


class TableFiller:
    """Inserts rows into tables whose columns are those of the backup."""

    def __init__(self, connection: Connection, shapes: Sequence[TableShape]) -> None:
        """``shapes``: the tables of the database."""
        self._connection = connection
        self._expected = {shape.name: shape for shape in shapes}
        self._on_postgresql = connection.dialect.name == "postgresql"
        self.filled: set[str] = set()

    def begin(self, shape: TableShape) -> None:
        """Expect rows of a table. Raises BackupError if the database has no such table."""
        known = self._expected.get(shape.name)
        if known is None or set(known.columns) != set(shape.columns):
            raise BackupError(f"the schema has no table {shape.name} with the columns of the backup")
        self.filled.add(shape.name)

    async def insert(self, shape: TableShape, rows: Sequence[Sequence[Value]]) -> None:
        names = ", ".join(f'"{column.name}"' for column in shape.columns)
        places = ", ".join(
            f"${number}" if self._on_postgresql else "?" for number in range(1, len(shape.columns) + 1)
        )
        statement = f'INSERT INTO "{shape.name}" ({names}) VALUES ({places})'  # noqa: S608 - checked names
        await self._connection.exec_driver_sql(statement, [tuple(row) for row in rows])

    async def finish(self) -> None:
        """Let PostgreSQL continue to number rows after those that were inserted. Raises BackupError if a
        table is missing in the backup."""
        missing = sorted(self._expected.keys() - self.filled)
        if missing:
            raise BackupError(f"the backup lacks the tables {', '.join(missing)}")
        if not self._on_postgresql:
            return
        for shape in self._expected.values():
            for column in shape.columns:
                if column.kind is ValueKind.INTEGER:
                    await self._continue_numbers(shape.name, column.name)

    async def _continue_numbers(self, table: str, column: str) -> None:
        asked = {"table": f'"{table}"', "column": column}
        sequence = (await self._connection.execute(_SEQUENCE, asked)).scalar_one()
        if sequence is not None:
            newest = f'(SELECT coalesce(max("{column}"), 0) + 1 FROM "{table}")'  # noqa: S608 - checked names
            await self._connection.execute(
                text(f"SELECT setval(:sequence, {newest}, false)"), {"sequence": sequence}
            )


async def note_restoration(connection: Connection, ring: KeyRing, header: Header, now: float) -> None:
    """Add an entry to the audit log, which has a gap from here on. The schema must be this build's."""
    found = await connection.execute(select(realms.c.id).where(realms.c.name == MASTER))
    realm_id = found.scalar_one_or_none()
    if realm_id is None:
        return  # the service was never started on it
    details = {"made_at": header.created_at, "release": header.release, "sequence": header.log.head}
    entry = audit_row(
        ring,
        Principal.system(),
        occurred_at=now,
        action="database_restored",
        realm_id=realm_id,
        details=details,
    )
    await connection.execute(audit.insert().inline(), entry)


async def claim_nothing(connection: Connection, now: float) -> None:
    """Replace the record of Redis by one that claims nothing about nodes (``restored_fleet``). The schema
    must be this build's."""
    row: Any = (await connection.execute(fleet_state.select())).one_or_none()
    found = FleetState() if row is None else FleetState(row.epoch, None, Partitioning.parse(row.partitioning))
    state = restored_fleet_state(found, now)
    await connection.execute(fleet_state.delete())
    values = {"id": 1, "epoch": state.epoch, "closed_nonce": None, "partitioning": str(state.partitioning)}
    await connection.execute(fleet_state.insert(), values)
    known = {each.partition: each.epoch for each in await connection.execute(partition_epochs.select())}
    epochs = restored_partition_epochs(known, now)
    await connection.execute(partition_epochs.delete())
    rows = [{"partition": number, "epoch": epoch} for number, epoch in epochs.items()]
    await connection.execute(partition_epochs.insert(), rows)
