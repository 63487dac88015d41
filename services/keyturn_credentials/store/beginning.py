"""Beginning and ending transactions on the driver's connection.

They hold for statements of SQLAlchemy, whose connection commits nothing by itself, and for those handed to
the driver (``direct``).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from keyturn_credentials.store.direct import driver_of


async def revive(connection: AsyncConnection) -> None:
    """Connect anew if PostgreSQL closed the connection while nobody used it."""
    if driver_of(connection).is_closed():
        await connection.invalidate()
        await connection.get_raw_connection()


@asynccontextmanager
async def transaction_on_postgresql(connection: AsyncConnection) -> AsyncIterator[None]:
    """READ COMMITTED; committed at the end of the block, rolled back by whatever is raised in it."""
    await revive(connection)
    driver = driver_of(connection)
    try:
        async with driver.transaction(isolation="read_committed"):
            yield
    except BaseException:  # also cancelled: what is not rolled back must not go back to the pool
        if driver.is_closed() or driver.is_in_transaction():
            await asyncio.shield(connection.invalidate())  # nobody else gets what could not be rolled back
        raise


@asynccontextmanager
async def transaction_on_sqlite(connection: AsyncConnection) -> AsyncIterator[None]:
    """As above, with the write lock from its beginning on."""
    driver = driver_of(connection)
    try:
        await driver.fetch("BEGIN IMMEDIATE", ())
        yield
        await driver.fetch("COMMIT", ())
    except Exception:  # whatever the block raised, nothing of it is kept
        await driver.rollback()
        raise
    except BaseException:  # cancelled, perhaps while SQLite's thread was at work: closing waits for that
        await asyncio.shield(connection.invalidate())
        raise
