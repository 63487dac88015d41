"""Statements handed to the driver itself.

What SQLAlchemy does around each statement (a greenlet, an execution context, a cursor, a result) takes
several times as long as a database takes to find a row by its key, and a change runs half a dozen of these.
Here its statements are compiled once, with its own types for what goes in and comes out.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import BindParameter, Double, Table, bindparam
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeEngine

from keyturn_credentials.store.sqlite_connection import WholeResultConnection

Process = Callable[[Any], Any] | None


class _Prepared:
    """A statement in one dialect."""

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.sql: str = compiled.string
        binds = compiled.binds
        self._parameters: list[tuple[str, Process]] = [
            (name, binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup
        ]
        # The statement's own literals.
        self._fixed = {name: value for name, value in compiled.params.items() if not binds[name].required}
        columns = [(column.key, column.type) for column in statement.exported_columns]
        self._named = _named([name for name, _ in columns])
        self._results: list[tuple[int, Callable[[Any], Any]]] = [
            (place, process)
            for place, (_, kind) in enumerate(columns)
            if (process := _result_process(kind, dialect)) is not None
        ]

    def parameters(self, values: Mapping[str, Any]) -> list[Any]:
        """In the statement's order. Raises KeyError when one is missing."""
        given = {**self._fixed, **values}
        return [
            given[name] if process is None else process(given[name]) for name, process in self._parameters
        ]

    def row(self, found: Sequence[Any]) -> Any:
        values = list(found)
        for place, process in self._results:
            values[place] = process(values[place])
        return self._named(values)


def _result_process(kind: TypeEngine[Any], dialect: Dialect) -> Process:
    # Both drivers give a DOUBLE as a float; SQLAlchemy would ask which type the server said it was.
    return None if isinstance(kind, Double) else kind.dialect_impl(dialect).result_processor(dialect, None)


def _named(columns: list[str]) -> Callable[[list[Any]], Any]:
    row: Any = namedtuple("row", columns)  # type: ignore[misc] # its columns are known when it runs
    make: Callable[[list[Any]], Any] = row._make
    return make


_prepared: Final[WeakKeyDictionary[Dialect, dict[Any, _Prepared]]] = WeakKeyDictionary()


async def run_one(
    connection: AsyncConnection, statement: Any, values: Mapping[str, Any] | None = None
) -> Any:
    """As ``run``: the first row, None when there is none."""
    rows = await run(connection, statement, values)
    return rows[0] if rows else None


async def run(
    connection: AsyncConnection, statement: Any, values: Mapping[str, Any] | None = None
) -> list[Any]:
    """All rows, named as their columns. The ``statement`` is one that is made once and kept: what it was
    compiled to is kept with it. Raises what the driver raises (see ``failures``)."""
    dialect = connection.dialect
    known = _prepared.setdefault(dialect, {})
    prepared = known.get(statement)
    if prepared is None:
        prepared = known[statement] = _Prepared(statement, dialect)
    driver = driver_of(connection)
    parameters = prepared.parameters(values or {})
    if isinstance(driver, WholeResultConnection):
        found = await driver.fetch(prepared.sql, parameters)
    else:
        found = await driver.fetch(prepared.sql, *parameters)
    return [prepared.row(row) for row in found]


def binds_of(table: Table, *names: str) -> dict[str, BindParameter[Any]]:
    """A value of its name for each of these columns, or for all of them, as an INSERT takes them."""
    return {name: bindparam(name) for name in names or table.columns.keys()}


def driver_of(connection: AsyncConnection) -> Any:
    """The driver's connection: aiosqlite's or asyncpg's."""
    return connection.sync_connection.connection.driver_connection  # type: ignore[union-attr] # it is open
