"""PostgreSQL: one pool of connections that read, and one of connections that write."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import Pool

from keyturn_credentials.store.engine_factory import APPLICATION_NAME, Limits, postgresql_engine
from keyturn_credentials.store.error_causes import leads_to_lost_server
from keyturn_credentials.store.schema_lock import lock_schema
from keyturn_credentials.store.sole_use import require_no_instance

_DISPOSE_SECONDS: Final = 2.0


class PostgresqlBackend:
    """Changes run in parallel. A lost server invalidates all idle connections."""

    def __init__(self, url: str, limits: Limits, maintenance: Limits, *, pool_size: int) -> None:
        self._url = url
        self._maintenance = maintenance
        self._reader = postgresql_engine(url, limits, pool_size=pool_size)
        self._writer = postgresql_engine(url, limits, pool_size=pool_size, transactions=True)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        async with self._leaving_lost_server(), self._reader.connect() as connection:
            yield connection

    finding = reading

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        async with self._leaving_lost_server(), self._writer.connect() as connection:
            try:
                yield connection  # its first statement begins a transaction; closing it rolls back
                await connection.commit()
            except Exception as error:
                if leads_to_lost_server(error):
                    await asyncio.shield(connection.invalidate())
                raise

    @asynccontextmanager
    async def maintaining(self) -> AsyncIterator[AsyncConnection]:
        engine = postgresql_engine(self._url, self._maintenance, pool_size=1)
        try:
            async with engine.connect() as connection:
                yield connection
        finally:
            await engine.dispose()

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[AsyncConnection]:
        engine = postgresql_engine(self._url, self._maintenance, pool_size=1, transactions=True)
        try:
            async with engine.begin() as connection:
                yield connection
        finally:
            await engine.dispose()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        engine = postgresql_engine(self._url, self._maintenance, pool_size=1, transactions=True)
        try:
            async with engine.connect() as connection:
                await connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
                yield connection
        finally:
            await engine.dispose()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[AsyncConnection]:
        # An instance that starts waits for the lock of the schema.
        async with self.migrating() as connection:
            await lock_schema(connection)
            await require_no_instance(connection, APPLICATION_NAME)
            yield connection

    @asynccontextmanager
    async def _leaving_lost_server(self) -> AsyncIterator[None]:
        """Drop all idle connections when one shows that their server is unusable: it was demoted, is shutting
        down, or fell silent. New ones go where the name or the list of hosts then leads."""
        seen = (self._reader.pool, self._writer.pool)
        try:
            yield
        except Exception as error:
            if leads_to_lost_server(error):
                await asyncio.shield(self._dispose(*seen))
            raise

    async def _dispose(self, *seen: Pool) -> None:
        """Replace the pools, unless another task has replaced the ones seen."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DISPOSE_SECONDS):
                for engine in (self._reader, self._writer):
                    if engine.pool in seen:
                        await engine.dispose()

    async def close(self) -> None:
        await self._reader.dispose()
        await self._writer.dispose()
