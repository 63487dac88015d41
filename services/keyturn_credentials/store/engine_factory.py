"""Engines for each database, with their time limits."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import asyncpg
import msgspec
from sqlalchemy import Engine, NullPool, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

CONNECT_SECONDS: Final = 5.0
APPLICATION_NAME: Final = "keyturn-credentials"
"""The name of every session in PostgreSQL's views."""

_json_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits in seconds. ``wait``: for a connection of the pool, or for a lock; ``statement``: for one
    statement, on PostgreSQL (on SQLite the amount of data limits it)."""

    wait: float
    statement: float


IN_SERVICE: Final = Limits(wait=10.0, statement=15.0)
MAINTENANCE: Final = Limits(wait=3600.0, statement=3600.0)


def _to_json(value: object) -> str:
    return _json_encoder.encode(value).decode()


_COMMON: Final[dict[str, Any]] = {
    "json_serializer": _to_json,
    "json_deserializer": msgspec.json.Decoder().decode,
    "hide_parameters": True,  # an error's text must not show the values being written
}


def sqlite_engine(url: str, limits: Limits) -> Engine:
    """Make an engine in autocommit mode until BEGIN. It has no pool: ``SqliteBackend`` holds the
    connections."""
    engine = create_engine(
        make_url(url).set(drivername="sqlite+pysqlite"),
        # Never used by two threads at a time (see ``SqliteConnection``).
        connect_args={"timeout": limits.wait, "check_same_thread": False},
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        **_COMMON,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def postgresql_engine(url: str, limits: Limits, *, pool_size: int, transactions: bool = False) -> AsyncEngine:
    """Make an engine in autocommit mode, or with ``transactions`` in READ COMMITTED: rows are locked before
    they are changed."""
    milliseconds = {name: str(int(1000 * seconds)) for name, seconds in _postgresql_limits(limits).items()}
    options: dict[str, Any] = (
        {"isolation_level": "READ COMMITTED"}
        if transactions
        else {"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None}
    )
    connect_args: dict[str, Any] = {
        "timeout": CONNECT_SECONDS,
        "command_timeout": limits.statement,
        "server_settings": {"application_name": APPLICATION_NAME},
    }
    if "target_session_attrs" not in make_url(url).query:
        # A standby, or a demoted primary, must not serve the system of record, not even for reads.
        connect_args["target_session_attrs"] = "read-write"
    engine = create_async_engine(
        url,
        connect_args=connect_args,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=limits.wait,
        **options,
        **_COMMON,
    )
    event.listen(engine.sync_engine, "connect", partial(_prepare_postgresql, milliseconds))
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    return engine


def _postgresql_limits(limits: Limits) -> dict[str, float]:
    return {
        # Release the locks of an instance that froze in a transaction.
        "idle_in_transaction_session_timeout": limits.wait,
        "lock_timeout": limits.wait,
        # The driver's own limit ends a statement first, unless its process is gone.
        "statement_timeout": limits.statement + 1.0,
    }


def _prepare_postgresql(milliseconds: Mapping[str, str], connection: Any, _record: object) -> None:
    # Not start-up parameters of the connection: poolers refuse those they do not know.
    settings = {"synchronous_commit": "on", **milliseconds}
    statements = "; ".join(f"SET {name} = {value}" for name, value in settings.items())
    connection.run_async(lambda driver: driver.execute(statements))


def _refuse_closed(connection: Any, _record: object, _proxy: object) -> None:
    """Make the pool reconnect if PostgreSQL closed an idle connection."""

    async def check(driver: asyncpg.Connection) -> None:
        if driver.is_closed():
            raise DisconnectionError

    connection.run_async(check)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    # FULL: a commit is on disk before it is acknowledged (WAL with NORMAL may lose the last ones).
    for pragma in ("synchronous = FULL", "foreign_keys = ON", "cache_size = -65536", "temp_store = MEMORY"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
