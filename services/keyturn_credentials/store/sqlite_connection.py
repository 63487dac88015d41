"""Connections for aiosqlite that visit SQLite's thread as seldom as they can.

aiosqlite goes there to make a cursor, to execute, to fetch and to close. Each visit costs more than a
statement that finds its row by key, and a change runs half a dozen of these. So a statement is one visit,
and on a connection for statements by key none at all: there, only what may wait for a lock or for the disk
(BEGIN, COMMIT, ROLLBACK, PRAGMA) leaves the event loop's thread.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Self

from aiosqlite.core import Connection

_ITERATION_CHUNK: Final = 64
_MAY_WAIT: Final = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA")


class WholeResultCursor:
    """A cursor that comes back with all rows. Has what SQLAlchemy's adapter asks of one."""

    def __init__(self, connection: "WholeResultConnection") -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Self:
        raw = self._connection.raw
        await self._connection.run(sql, lambda: self._keep(raw.execute(sql, parameters)))
        return self

    async def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> Self:
        raw = self._connection.raw
        await self._connection.run(sql, lambda: self._keep(raw.executemany(sql, rows)))
        return self

    async def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        self._rows = []

    def _keep(self, cursor: sqlite3.Cursor) -> None:
        self.description = cursor.description
        self._rows = cursor.fetchall() if cursor.description else []
        self.rowcount = cursor.rowcount
        self.lastrowid = cursor.lastrowid
        cursor.close()


class WholeResultConnection(Connection):
    """aiosqlite's connection with such cursors. ``by_key``: for statements that find their rows by key."""

    def __init__(self, connector: Callable[[], sqlite3.Connection], *, by_key: bool) -> None:
        super().__init__(connector, _ITERATION_CHUNK)
        self._by_key = by_key
        # A process that ends without closing must not wait for this thread.
        self._thread.daemon = True

    def cursor(self) -> WholeResultCursor:  # type: ignore[override]  # SQLAlchemy's adapter asks for no more
        return WholeResultCursor(self)

    async def rollback(self) -> None:
        if self.raw.in_transaction:
            await super().rollback()

    async def fetch(self, sql: str, parameters: Sequence[Any]) -> list[Any]:
        """Run one statement; its rows."""
        found: list[Any] = []

        def execute() -> None:
            cursor = self.raw.execute(sql, parameters)
            found.extend(cursor.fetchall())
            cursor.close()

        await self.run(sql, execute)
        return found

    @property
    def raw(self) -> sqlite3.Connection:
        connection: sqlite3.Connection = self._conn
        return connection

    async def run(self, sql: str, function: Callable[[], None]) -> None:
        """Run a function that executes this statement, here or in SQLite's thread."""
        if self._by_key and not sql.startswith(_MAY_WAIT):
            function()
        else:
            await self._execute(function)  # type: ignore[no-untyped-call]  # aiosqlite's own way in


def connect(database: str, *, by_key: bool, **options: Any) -> WholeResultConnection:
    """As ``aiosqlite.connect``: to be awaited."""

    def connector() -> sqlite3.Connection:
        # Never used by two threads at a time: SQLAlchemy waits for each statement before the next.
        opened: sqlite3.Connection = sqlite3.connect(database, **{**options, "check_same_thread": False})
        return opened

    return WholeResultConnection(connector, by_key=by_key)
