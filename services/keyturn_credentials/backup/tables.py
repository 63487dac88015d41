"""The tables that a backup has: read from the database's own schema, of whatever revision."""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    Connection,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    inspect,
    text,
)
from sqlalchemy.sql.sqltypes import JSON
from sqlalchemy.types import TypeEngine

from keyturn_credentials.backup.contents import Column, TableShape, Value, ValueKind
from keyturn_credentials.backup.errors import BackupError
from keyturn_credentials.store.audit_tables import audit, audit_chain, audit_checkpoints
from keyturn_credentials.store.notice_tables import leases, notice_deliveries, notices
from keyturn_credentials.store.tables import metadata

VERSION_TABLE: Final = "alembic_version"
_OF_NOTICES: Final = tuple(table.name for table in (leases, notice_deliveries, notices))
_OF_AUDIT: Final = tuple(table.name for table in (audit, audit_chain, audit_checkpoints))
OUR_TABLES: Final = frozenset((*metadata.tables, *_OF_NOTICES, *_OF_AUDIT, VERSION_TABLE))
"""Names of keyturn's tables: PostgreSQL may have others, and SQLite's index of parts consists of some."""
PARTS_INDEX: Final = "client_names_parts"
_LEFT_OUT: Final = frozenset((VERSION_TABLE, "relay_lease", "leases", "write_probe"))
"""The revision, which the header has; and what only running instances use."""
_KINDS: Final[tuple[tuple[type[TypeEngine[Any]], ValueKind], ...]] = (
    (Boolean, ValueKind.BOOLEAN),
    (Integer, ValueKind.INTEGER),
    (Float, ValueKind.NUMBER),
    (JSON, ValueKind.JSON),
    (LargeBinary, ValueKind.BYTES),
    (String, ValueKind.TEXT),
)
_CONVERSIONS: Final[dict[ValueKind, Callable[[Value], Value]]] = {ValueKind.BOOLEAN: bool}
"""Conversions of a value as the driver returns it: SQLite's booleans are numbers."""


def reflected(connection: Connection) -> MetaData:
    """Return keyturn's tables as they are."""
    found = MetaData()
    found.reflect(connection, only=lambda name, _: name in OUR_TABLES)
    return found


def shapes_of(connection: Connection) -> list[TableShape]:
    """Return the tables that a backup has, each after those that its rows refer to. Raises BackupError for a
    column of an unknown type."""
    tables = reflected(connection).sorted_tables
    return [_shape_of(table) for table in tables if table.name not in _LEFT_OUT]


def _shape_of(table: Table) -> TableShape:
    columns = (Column(str(column.name), _kind_of(table, column.name)) for column in table.columns)
    return TableShape(str(table.name), tuple(columns))


def _kind_of(table: Table, column: str) -> ValueKind:
    for known, kind in _KINDS:
        if isinstance(table.columns[column].type, known):
            return kind
    raise BackupError(f"column {column} of table {table.name} has a type that backups do not know")


def revision_of(connection: Connection) -> str | None:
    """Return the revision of a database's schema; None for one without keyturn's tables."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    revision: str | None = connection.execute(
        text("SELECT version_num FROM alembic_version")
    ).scalar_one_or_none()
    return revision


def converter_of(shape: TableShape) -> Callable[[list[Value]], list[Value]] | None:
    """Return a function that changes the values of a row to what a backup has; None if none has to be."""
    places = [
        (place, convert)
        for place, column in enumerate(shape.columns)
        if (convert := _CONVERSIONS.get(column.kind)) is not None
    ]
    if not places:
        return None

    def convert_row(row: list[Value]) -> list[Value]:
        for place, convert in places:
            if row[place] is not None:
                row[place] = convert(row[place])
        return row

    return convert_row
