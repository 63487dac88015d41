"""The sole use of a database: nobody else may use it now, and nobody can begin to until it is over."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from sqlalchemy import text

from keyturn_credentials.store.connection import Connection
from keyturn_shared.errors import ConfigurationError

_MARGIN_SECONDS: Final = 0.2
_LONGEST_WAIT_SECONDS: Final = 5.0
"""More than the relay's lease, which a killed instance leaves behind."""

_SESSIONS: Final = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND application_name = :name"
)
_HAS_LEASE: Final = text("SELECT to_regclass('relay_lease') IS NOT NULL")
_LEASE_LEFT: Final = text("SELECT expires_at - extract(epoch FROM clock_timestamp()) FROM relay_lease")


class DatabaseInUseError(ConfigurationError):
    """The service, or another command, uses the database."""

    code = "database_in_use"

    def __init__(self) -> None:
        super().__init__(
            "the database is in use: first stop every credentials process, and every other command on it"
        )


async def require_no_instance(
    connection: Connection,
    application_name: str,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Raise DatabaseInUseError if a session of keyturn is connected to this PostgreSQL database, or a relay
    renews its lease, which shows through any pooler. A lease that nobody renews is waited for."""
    if (await connection.execute(_SESSIONS, {"name": application_name})).scalar_one():
        raise DatabaseInUseError
    left = await _lease_left(connection)
    if left > 0:
        await sleep(min(left, _LONGEST_WAIT_SECONDS) + _MARGIN_SECONDS)
        if await _lease_left(connection) > 0:
            raise DatabaseInUseError


async def _lease_left(connection: Connection) -> float:
    """Return the seconds for which a relay still has its lease; 0 if none has one."""
    if not (await connection.execute(_HAS_LEASE)).scalar_one():
        return 0.0
    return float((await connection.execute(_LEASE_LEFT)).scalar() or 0.0)
