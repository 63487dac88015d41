"""Reading of all rows of one state of the database, a few hundred at a time."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from sqlalchemy import text

from keyturn_credentials.backup.contents import Column, LogState, TableShape, Value, ValueKind
from keyturn_credentials.backup.errors import BackupError
from keyturn_credentials.backup.tables import converter_of
from keyturn_credentials.store.connection import Connection

_BATCH: Final = 500
_LOG: Final = text(
    "SELECT (SELECT identity FROM log_identity) AS identity, (SELECT value FROM event_counter) AS head,"
    " (SELECT epoch FROM fleet_state) AS epoch, (SELECT closed_nonce FROM fleet_state) AS closed_nonce,"
    " newest.id, newest.occurred_at FROM (SELECT 1 AS one) AS single"
    " LEFT JOIN (SELECT id, occurred_at FROM events ORDER BY sequence DESC LIMIT 1) AS newest ON true"
)


async def log_state(connection: Connection) -> LogState:
    row = (await connection.execute(_LOG)).one()
    return LogState(
        identity=row.identity,
        head=row.head,
        head_id=row.id,
        head_at=row.occurred_at,
        epoch=row.epoch or 0,
        shut_down=row.closed_nonce is not None,
    )


async def require_integrity(connection: Connection) -> None:
    """Raise BackupError if SQLite finds the file damaged, or a row that refers to a missing one. PostgreSQL
    reports damage when it reads."""
    if connection.dialect.name != "sqlite":
        return
    found = (await connection.exec_driver_sql("PRAGMA integrity_check(1)")).scalar_one()
    if found != "ok":
        raise BackupError(f"the database file is damaged: {found}")
    if (await connection.exec_driver_sql("PRAGMA foreign_key_check")).first() is not None:
        raise BackupError("the database is damaged: a row refers to one that is missing")


async def rows_of(connection: Connection, shape: TableShape) -> AsyncIterator[list[list[Value]]]:
    """Yield all rows of a table in batches, in no particular order."""
    convert = converter_of(shape)
    reading = _of_sqlite if connection.dialect.name == "sqlite" else _of_postgresql
    async for batch in reading(connection, shape):
        yield batch if convert is None else [convert(row) for row in batch]


async def _of_postgresql(connection: Connection, shape: TableShape) -> AsyncIterator[list[list[Value]]]:
    # A name of its own for each: the driver keeps the statement with its columns.
    cursor = f'"backup_{shape.name}"'
    # The driver would decode JSON.
    values = [
        _as_text(column) if column.kind is ValueKind.JSON else _quoted(column) for column in shape.columns
    ]
    await connection.exec_driver_sql(f"DECLARE {cursor} NO SCROLL CURSOR FOR {_select(shape, values)}")
    while rows := (await connection.exec_driver_sql(f"FETCH {_BATCH} FROM {cursor}")).all():
        yield [list(row) for row in rows]
    await connection.exec_driver_sql(f"CLOSE {cursor}")


async def _of_sqlite(connection: Connection, shape: TableShape) -> AsyncIterator[list[list[Value]]]:
    # In the order of the file, which needs neither an index nor a sort.
    values = [*map(_quoted, shape.columns), "rowid"]
    statement = _select(shape, values) + " WHERE rowid > ? ORDER BY rowid LIMIT ?"
    after = -(2**63)
    while rows := (await connection.exec_driver_sql(statement, (after, _BATCH))).all():
        after = rows[-1][-1]
        yield [list(row[:-1]) for row in rows]


def _select(shape: TableShape, values: Sequence[str]) -> str:
    return f'SELECT {", ".join(values)} FROM "{shape.name}"'  # noqa: S608 - names from the schema


def _quoted(column: Column) -> str:
    return f'"{column.name}"'


def _as_text(column: Column) -> str:
    return f'CAST("{column.name}" AS text)'
