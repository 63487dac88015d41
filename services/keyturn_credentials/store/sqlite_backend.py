"""SQLite: four connections that read, one for statements by key, and one that writes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import stamina
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from keyturn_credentials.store.engine_factory import Limits, sqlite_engine
from keyturn_credentials.store.sole_use import DatabaseInUseError
from keyturn_credentials.store.sqlite_connection import SqliteConnection

_READERS: Final = 4
_ALONE: Final = Limits(wait=5.0, statement=3600.0)


class SqliteBackend:
    """SQLite allows one writer. Changes queue here in order of arrival, because SQLite's busy handler
    guarantees no order; other processes wait for the lock by the busy handler."""

    def __init__(self, url: str, limits: Limits, maintenance: Limits) -> None:
        self._url = url
        self._limits = limits
        self._maintenance = maintenance
        self._engine = sqlite_engine(url, limits)
        self._free_readers = asyncio.Semaphore(_READERS)
        self._idle: list[SqliteConnection] = []
        self._finder: SqliteConnection | None = None
        self._writer: SqliteConnection | None = None
        self._connecting = asyncio.Lock()
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[SqliteConnection]:
        """Open a reader. Raises SQLAlchemy's TimeoutError, like its pools, when all readers are in use for
        too long."""
        try:
            async with asyncio.timeout(self._limits.wait):
                await self._free_readers.acquire()
        except TimeoutError as error:
            raise PoolTimeoutError("all readers are in use") from error
        try:
            connection = self._idle.pop() if self._idle else await SqliteConnection.open(self._engine)
            try:
                yield connection
            finally:
                self._idle.append(connection)
        finally:
            self._free_readers.release()

    @asynccontextmanager
    async def finding(self) -> AsyncIterator[SqliteConnection]:
        # A statement by key runs at once and to its end, so all of them share a connection.
        if self._finder is None:
            async with self._connecting:
                self._finder = self._finder or await SqliteConnection.open(self._engine, by_key=True)
        yield self._finder

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[SqliteConnection]:
        async with self._turn:
            if self._writer is None:
                self._writer = await SqliteConnection.open(self._engine, by_key=True)
            async with self._writer.transaction():
                yield self._writer

    @asynccontextmanager
    async def maintaining(self) -> AsyncIterator[SqliteConnection]:
        connection = await SqliteConnection.open(sqlite_engine(self._url, self._maintenance))
        try:
            yield connection
        finally:
            await connection.close()

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[SqliteConnection]:
        await self._switch_to_wal()
        async with self.maintaining() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[SqliteConnection]:
        async with self.maintaining() as connection:
            await connection.exec_driver_sql("BEGIN")  # the first query chooses the state
            try:
                yield connection
            finally:
                await connection.exec_driver_sql("ROLLBACK")

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[SqliteConnection]:
        # Only the last process that has the file open can end write-ahead logging. It is refused while
        # another one has a connection, even an idle or a stopped one; from then on, the lock stays.
        connection = await SqliteConnection.open(sqlite_engine(self._url, _ALONE))
        try:
            await connection.exec_driver_sql("PRAGMA locking_mode = EXCLUSIVE")
            await connection.exec_driver_sql("PRAGMA journal_mode = DELETE")
            async with connection.transaction("BEGIN EXCLUSIVE"):
                yield connection
        except OperationalError as error:
            raise (DatabaseInUseError() if _is_locked(error) else error) from error
        finally:
            await connection.close()

    async def _switch_to_wal(self) -> None:
        """Turn on write-ahead logging. It is permanent, but SQLite does not wait for another process that
        does the same."""
        retries = stamina.retry_context(
            on=_is_locked,
            attempts=None,
            timeout=self._limits.wait,
            wait_initial=0.02,
            wait_max=0.2,
            wait_jitter=0.02,
        )
        async for attempt in retries:
            with attempt:
                async with self.reading() as connection:
                    await connection.exec_driver_sql("PRAGMA journal_mode = WAL")

    async def close(self) -> None:
        kept = [*self._idle, self._finder, self._writer]
        self._idle, self._finder, self._writer = [], None, None
        for connection in kept:
            if connection is not None:
                await connection.close()


def _is_locked(error: Exception) -> bool:
    return isinstance(error, OperationalError) and "locked" in str(error.orig)
