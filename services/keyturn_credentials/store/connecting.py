"""Making engines: how each database is spoken to, and how long anything may take."""

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import msgspec
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from keyturn_credentials.store.sqlite_connection import connect as connect_sqlite

CONNECT_SECONDS: Final = 5.0

_json_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds. ``wait``: for a connection of the pool, or for a lock; ``statement``: for one statement to be
    carried out, on PostgreSQL (SQLite's are bounded by what they read)."""

    wait: float
    statement: float


IN_SERVICE: Final = Limits(wait=10.0, statement=15.0)
MAINTENANCE: Final = Limits(wait=3600.0, statement=3600.0)


def _to_json(value: object) -> str:
    return _json_encoder.encode(value).decode()


_COMMON: Final[dict[str, Any]] = {
    "json_serializer": _to_json,
    "json_deserializer": msgspec.json.Decoder().decode,
    "hide_parameters": True,  # an error's text must not show what was being written
    "max_overflow": 0,
}


def sqlite_engine(
    url: str, limits: Limits, *, pool_size: int, by_key: bool = False, transactions: bool = False
) -> AsyncEngine:
    """``by_key``: see ``sqlite_connection``. With ``transactions`` each takes the write lock as it begins;
    otherwise every statement is one by itself."""
    creator = partial(connect_sqlite, by_key=by_key)
    engine = create_async_engine(
        url,
        connect_args={"timeout": limits.wait, "async_creator_fn": creator},
        pool_size=pool_size,
        pool_timeout=limits.wait,
        **({} if transactions else {"isolation_level": "AUTOCOMMIT"}),
        **_COMMON,
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    if transactions:
        event.listen(engine.sync_engine, "begin", _begin_immediate)
    return engine


def postgresql_engine(url: str, limits: Limits, *, pool_size: int, transactions: bool = False) -> AsyncEngine:
    """As ``sqlite_engine``. Transactions are READ COMMITTED: rows are locked before they are changed."""
    milliseconds = {name: str(int(1000 * seconds)) for name, seconds in _postgresql_limits(limits).items()}
    options: dict[str, Any] = (
        {"isolation_level": "READ COMMITTED"}
        if transactions
        else {"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None}
    )
    return create_async_engine(
        url,
        connect_args={
            "timeout": CONNECT_SECONDS,
            "command_timeout": limits.statement,
            "server_settings": {
                "application_name": "keyturn-credentials",
                "synchronous_commit": "on",
                **milliseconds,
            },
        },
        pool_size=pool_size,
        pool_timeout=limits.wait,
        **options,
        **_COMMON,
    )


def _postgresql_limits(limits: Limits) -> dict[str, float]:
    return {
        # The locks of an instance that froze in a transaction are let go.
        "idle_in_transaction_session_timeout": limits.wait,
        "lock_timeout": limits.wait,
        # The driver's own limit ends a statement first, unless its process is gone.
        "statement_timeout": limits.statement + 1.0,
    }


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by us, not guessed by the driver
    cursor = connection.cursor()
    # FULL: a commit is on the disk before it is acknowledged (WAL with NORMAL may lose the last ones).
    for pragma in ("synchronous = FULL", "foreign_keys = ON", "cache_size = -65536", "temp_store = MEMORY"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
