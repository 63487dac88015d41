"""Detection of poolers that share a session between transactions (pgbouncer's transaction pooling)."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.error_causes import cause_of
from keyturn_shared.errors import ConfigurationError

_PID: Final = text("SELECT pg_backend_pid()")
_SHARED: Final = frozenset(("26000", "42P05"))
"""A prepared statement of this session is missing, or is another session's."""

_REFUSAL: Final = (
    "KEYTURN_DATABASE_URL points to a pooler that shares sessions between transactions (pgbouncer's"
    " pool_mode=transaction or statement): use pool_mode=session, or connect to PostgreSQL itself;"
    " each instance keeps a small pool of its own"
)


async def refuse_shared_sessions(database: Database) -> None:
    """Raise ConfigurationError if statements of one connection reach different server processes.

    Prepared statements and session time limits would then belong to other sessions. While one connection is
    in a transaction, which holds its process, the other one's must stay the same.
    """
    if not database.is_postgresql:
        return
    try:
        async with database.reading() as first, database.reading() as second:
            before = await _process_of(first)
            await second.exec_driver_sql("BEGIN")
            try:
                await _process_of(second)
                during = await _process_of(first)
            finally:
                await second.exec_driver_sql("ROLLBACK")
    except (DBAPIError, OSError, TimeoutError) as error:
        cause = cause_of(error)
        # With pool_mode=statement pgbouncer itself reports an error when a transaction begins.
        shared = cause.name in _SHARED or "pooling mode" in cause.message
        message = _REFUSAL if shared else f"the database cannot be used: {cause.message or cause}"
        raise ConfigurationError(message) from error
    if before != during:
        raise ConfigurationError(_REFUSAL)


async def _process_of(connection: Connection) -> int:
    return int((await connection.execute(_PID)).scalar_one())
