"""The lock that lets one process at a time change the schema of a PostgreSQL database."""

from typing import Final

from sqlalchemy import text

from keyturn_credentials.store.connection import Connection

_LOCK: Final = 0x6B65797475726E  # "keyturn"; any number, but always the same one


async def lock_schema(connection: Connection) -> None:
    """Wait until no other process changes the schema, and keep others from it until the end of the
    transaction. On SQLite the transaction itself does that."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
