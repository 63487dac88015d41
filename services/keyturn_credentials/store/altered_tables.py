"""Locks on the tables that an upgrade alters, taken before it begins, and before anything waits for it.

Instances of the former release write meanwhile. If the upgrade took its locks one after the other, as its
statements need them, it could hold a table that a change needs while it waits for one that the change holds.
PostgreSQL would then let one of the two fail, and the change is likely to be the one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.error_causes import cause_of
from keyturn_shared.errors import ConfigurationError

_ATTEMPTS: Final = 600
_PAUSE_SECONDS: Final = 0.5
_WRITTEN_LAST: Final = ("events", "projections", "audit")
"""Tables that a change writes after all others, in this order."""
_IN_USE: Final = ("55P03", "57014", "40P01")
"""Lock not available, statement cancelled by its time limit, deadlock: another transaction uses a table."""

_half_of_detection: Final = text("SELECT setting::int / 2 FROM pg_settings WHERE name = 'deadlock_timeout'")
_limit: Final = text("SELECT set_config('statement_timeout', :value, true)")
_savepoint: Final = text("SAVEPOINT before_locks")
_back: Final = text("ROLLBACK TO SAVEPOINT before_locks")
_present: Final = text("SELECT current_setting('statement_timeout')")


async def lock_altered(
    connection: Connection,
    tables: Collection[str],
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Lock these tables until the end of the transaction, on PostgreSQL; on SQLite the transaction itself has
    locked everything. An attempt gives up before PostgreSQL looks for deadlocks on behalf of those that wait
    for it; it is repeated for at least five minutes. Raises ConfigurationError if a table stays in use."""
    if connection.dialect.name != "postgresql" or not tables:
        return
    milliseconds = (await connection.execute(_half_of_detection)).scalar_one()
    before = (await connection.execute(_present)).scalar_one()
    names = ", ".join(f'"{name}"' for name in _in_order(tables))
    for attempt in range(_ATTEMPTS):
        if attempt:
            await sleep(_PAUSE_SECONDS)
        await connection.execute(_savepoint)
        try:
            await connection.execute(_limit, {"value": str(milliseconds)})
            await connection.execute(text(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE"))
        except DBAPIError as error:
            if cause_of(error).name not in _IN_USE:
                raise
            await connection.execute(_back)
        else:
            await connection.execute(_limit, {"value": before})
            return
    raise ConfigurationError(f"the database cannot be upgraded: other transactions use {names} all the time")


def _in_order(tables: Collection[str]) -> list[str]:
    """Return them in the order in which changes write them, so that a change in progress can end."""
    return sorted(tables, key=lambda name: (name in _WRITTEN_LAST and 1 + _WRITTEN_LAST.index(name), name))
