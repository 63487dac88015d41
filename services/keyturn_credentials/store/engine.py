"""Connections: engines that read, and one that writes.

Readers run each statement by itself. Writers run transactions: on SQLite one after the other
(``BEGIN IMMEDIATE``, so none fails half way for want of the lock), on PostgreSQL side by side.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

import msgspec
import stamina
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from keyturn_credentials.store.sqlite_connection import connect as connect_sqlite
from keyturn_shared.errors import ConfigurationError

_BUSY_SECONDS: Final = 10.0
_CONNECT_SECONDS: Final = 5.0
_STATEMENT_SECONDS: Final = 15.0
_SQLITE_READERS: Final = 4

_EngineTriple = tuple[AsyncEngine, AsyncEngine, AsyncEngine]
"""For reading, for finding by key, for writing."""

_json_encoder = msgspec.json.Encoder()


def _to_json(value: object) -> str:
    return _json_encoder.encode(value).decode()


_COMMON: Final[dict[str, Any]] = {
    "json_serializer": _to_json,
    "json_deserializer": msgspec.json.Decoder().decode,
    "hide_parameters": True,  # an error's text must not show what was being written
}


class Engines:
    """The engines of one database."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        """Connects when first used. Raises ConfigurationError for a URL of another kind of database."""
        try:
            backend = make_url(url).drivername
        except ArgumentError as error:
            raise ConfigurationError("the database URL cannot be read") from error
        if backend == "sqlite+aiosqlite":
            self.is_postgresql = False
            self._reader, self._finder, self._writer = _sqlite(url)
        elif backend == "postgresql+asyncpg":
            self.is_postgresql = True
            self._reader, self._finder, self._writer = _postgresql(url, pool_size)
        else:
            raise ConfigurationError("the database URL begins with sqlite+aiosqlite or postgresql+asyncpg")
        # SQLite has one writer; waiting here is fair, while its busy handler is a lottery.
        self._turn = asyncio.Lock() if not self.is_postgresql else None

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
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed at the end of the block, rolled back by whatever is raised in it."""
        if self._turn is None:
            async with self._writer.begin() as connection:
                yield connection
        else:
            async with self._turn, self._writer.begin() as connection:
                yield connection

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that may change the schema, on a database prepared for several processes."""
        if not self.is_postgresql:
            await self._switch_to_wal()
        async with self.writing() as connection:
            yield connection

    async def _switch_to_wal(self) -> None:
        """Once for ever, but SQLite does not wait for another process that is doing the same."""
        retries = stamina.retry_context(
            on=_is_locked,
            attempts=None,
            timeout=_BUSY_SECONDS,
            wait_initial=0.02,
            wait_max=0.2,
            wait_jitter=0.02,
        )
        async for attempt in retries:
            with attempt:
                async with self._reader.connect() as connection:
                    await connection.exec_driver_sql("PRAGMA journal_mode = WAL")

    async def close(self) -> None:
        await self._reader.dispose()
        await self._finder.dispose()
        await self._writer.dispose()


def _is_locked(error: Exception) -> bool:
    return isinstance(error, OperationalError) and "locked" in str(error.orig)


def _sqlite(url: str) -> _EngineTriple:
    def engine(*, by_key: bool, pool_size: int, **options: Any) -> AsyncEngine:
        creator = partial(connect_sqlite, by_key=by_key)
        made = create_async_engine(
            url,
            connect_args={"timeout": _BUSY_SECONDS, "async_creator_fn": creator},
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=_BUSY_SECONDS,
            **options,
            **_COMMON,
        )
        event.listen(made.sync_engine, "connect", _prepare_sqlite)
        return made

    reader = engine(by_key=False, pool_size=_SQLITE_READERS, isolation_level="AUTOCOMMIT")
    finder = engine(by_key=True, pool_size=_SQLITE_READERS, isolation_level="AUTOCOMMIT")
    writer = engine(by_key=True, pool_size=1)
    event.listen(writer.sync_engine, "begin", _begin_immediate)
    return reader, finder, writer


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by us, not guessed by the driver
    cursor = connection.cursor()
    # FULL: a commit is on the disk before it is acknowledged (WAL with NORMAL may lose the last ones).
    for pragma in ("synchronous = FULL", "foreign_keys = ON", "cache_size = -65536", "temp_store = MEMORY"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _postgresql(url: str, pool_size: int) -> _EngineTriple:
    arguments: dict[str, Any] = {
        "connect_args": {
            "timeout": _CONNECT_SECONDS,
            "command_timeout": _STATEMENT_SECONDS,
            "server_settings": {
                "application_name": "keyturn-credentials",
                # The locks of an instance that froze in a transaction are let go.
                "idle_in_transaction_session_timeout": "10000",
                "lock_timeout": "10000",
                "synchronous_commit": "on",
            },
        },
        "max_overflow": 0,
        "pool_timeout": _BUSY_SECONDS,
        "pool_size": pool_size,
        "pool_pre_ping": False,
        **_COMMON,
    }
    reader = create_async_engine(url, isolation_level="AUTOCOMMIT", pool_reset_on_return=None, **arguments)
    return reader, reader, create_async_engine(url, isolation_level="READ COMMITTED", **arguments)
