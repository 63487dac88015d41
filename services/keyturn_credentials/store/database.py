"""The database: connections that read, and connections that write.

Readers run single statements. Writers run transactions: on SQLite one after the other, on PostgreSQL in
parallel. Both use SQLAlchemy for every statement.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Row

from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.database_url import POSTGRESQL, check_database_url
from keyturn_credentials.store.engine_factory import IN_SERVICE, MAINTENANCE, Limits
from keyturn_credentials.store.postgresql_backend import PostgresqlBackend
from keyturn_credentials.store.sqlite_backend import SqliteBackend


class Database:
    """One database, of either kind."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        limits: Limits = IN_SERVICE,
        maintenance: Limits = MAINTENANCE,
    ) -> None:
        """Prepare to connect on first use. Raises ConfigurationError for the URL of another kind."""
        self.is_postgresql = check_database_url(url) == POSTGRESQL
        self._backend: PostgresqlBackend | SqliteBackend = (
            PostgresqlBackend(url, limits, maintenance, pool_size=pool_size)
            if self.is_postgresql
            else SqliteBackend(url, limits, maintenance)
        )

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """Open a connection for queries of any length. Every SELECT sees the committed state."""
        async with self._backend.reading() as connection:
            yield connection

    @asynccontextmanager
    async def finding(self) -> AsyncIterator[Connection]:
        """Open a connection for queries that find a few rows by key: it is cheaper, but long queries would
        block everything else."""
        async with self._backend.finding() as connection:
            yield connection

    async def find(self, statement: Any, values: Mapping[str, Any] | None = None) -> list[Row[Any]]:
        """Return the rows of one statement that finds a few rows by key."""
        async with self._backend.finding() as connection:
            return list(await connection.execute(statement, values))

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Connection]:
        """Open a transaction: committed at the end of the block, rolled back if it raises."""
        async with self._backend.writing() as connection:
            yield connection

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[Connection]:
        """Open a transaction that may change the schema, and prepare the database for several processes. It
        may run long, and wait long for another process that does the same."""
        async with self._backend.migrating() as connection:
            yield connection

    @asynccontextmanager
    async def maintaining(self) -> AsyncIterator[Connection]:
        """Open a connection for long statements outside transactions, such as VACUUM."""
        async with self._backend.maintaining() as connection:
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """Open a connection whose queries of any length all see one committed state. It hinders nobody."""
        async with self._backend.snapshot() as connection:
            yield connection

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[Connection]:
        """Open a transaction that may replace everything. Raises DatabaseInUseError if a process of keyturn
        uses the database; one that starts meanwhile waits, or gives up. Open no other connection before."""
        async with self._backend.alone() as connection:
            yield connection

    async def close(self) -> None:
        await self._backend.close()
