"""Connections: engines that read, and one that writes.

Readers run each statement by itself. Writers run transactions: on SQLite one after the other
(``BEGIN IMMEDIATE``, so none fails half way for want of the lock), on PostgreSQL side by side.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import stamina
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from keyturn_credentials.store.beginning import revive, transaction_on_postgresql, transaction_on_sqlite
from keyturn_credentials.store.connecting import (
    IN_SERVICE,
    MAINTENANCE,
    Limits,
    postgresql_engine,
    sqlite_engine,
)
from keyturn_credentials.store.direct import run
from keyturn_shared.errors import ConfigurationError

_SQLITE_READERS: Final = 4


class Engines:
    """The engines of one database."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        limits: Limits = IN_SERVICE,
        maintenance: Limits = MAINTENANCE,
    ) -> None:
        """Connects when first used. Raises ConfigurationError for a URL of another kind of database."""
        try:
            backend = make_url(url).drivername
        except ArgumentError as error:
            raise ConfigurationError("the database URL cannot be read") from error
        if backend not in ("sqlite+aiosqlite", "postgresql+asyncpg"):
            raise ConfigurationError("the database URL begins with sqlite+aiosqlite or postgresql+asyncpg")
        self.is_postgresql = backend == "postgresql+asyncpg"
        self._url = url
        self._limits = limits
        self._maintenance = maintenance
        if self.is_postgresql:
            self._reader = self._finder = postgresql_engine(url, limits, pool_size=pool_size)
            self._writer = postgresql_engine(url, limits, pool_size=pool_size)
        else:
            self._reader = sqlite_engine(url, limits, pool_size=_SQLITE_READERS)
            self._finder = sqlite_engine(url, limits, pool_size=_SQLITE_READERS, by_key=True)
            self._writer = sqlite_engine(url, limits, pool_size=1, by_key=True)
        # SQLite has one writer; waiting here is fair, while its busy handler is a lottery.
        self._turn = asyncio.Lock() if not self.is_postgresql else None
        self._kept: AsyncConnection | None = None
        self._keeping = asyncio.Lock()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection for queries of any length. Every SELECT sees what is committed."""
        async with self._reader.connect() as connection:
            yield connection

    @asynccontextmanager
    async def finding(self) -> AsyncIterator[AsyncConnection]:
        """As ``reading``, for queries that find a few rows by key: cheaper, but long ones would hold up
        everything else."""
        async with self._finder.connect() as connection:
            if self.is_postgresql:
                await revive(connection)
            yield connection

    async def find(self, statement: Any, values: Mapping[str, Any] | None = None) -> list[Any]:
        """One statement that finds a few rows by key; see ``direct.run``."""
        if self.is_postgresql:
            async with self.finding() as connection:
                return await run(connection, statement, values)
        # Such a statement runs at once and to its end, so all of them share a connection.
        if self._kept is None:
            async with self._keeping:
                self._kept = self._kept or await self._finder.connect()
        return await run(self._kept, statement, values)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed at the end of the block, rolled back by whatever is raised in it."""
        if self._turn is None:
            async with self._writer.connect() as connection, transaction_on_postgresql(connection):
                yield connection
        else:
            async with (
                self._turn,
                self._writer.connect() as connection,
                transaction_on_sqlite(connection),
            ):
                yield connection

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that may change the schema, on a database prepared for several processes. It may take
        long, and wait long for another process that is doing the same."""
        if not self.is_postgresql:
            await self._switch_to_wal()
        async with self._maintaining(transactions=True) as engine, engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def maintaining(self) -> AsyncIterator[AsyncConnection]:
        """A connection for statements that take long and are no transaction, as VACUUM."""
        async with self._maintaining(transactions=False) as engine, engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def _maintaining(self, *, transactions: bool) -> AsyncIterator[AsyncEngine]:
        make = postgresql_engine if self.is_postgresql else sqlite_engine
        engine = make(self._url, self._maintenance, pool_size=1, transactions=transactions)
        try:
            yield engine
        finally:
            await engine.dispose()

    async def _switch_to_wal(self) -> None:
        """Once for ever, but SQLite does not wait for another process that is doing the same."""
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
                async with self._reader.connect() as connection:
                    await connection.exec_driver_sql("PRAGMA journal_mode = WAL")

    async def close(self) -> None:
        if self._kept is not None:
            await self._kept.close()
            self._kept = None
        await self._reader.dispose()
        await self._finder.dispose()
        await self._writer.dispose()


def _is_locked(error: Exception) -> bool:
    return isinstance(error, OperationalError) and "locked" in str(error.orig)
