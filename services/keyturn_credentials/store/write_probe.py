"""Readiness probe that tests whether a change could be committed now."""

import asyncio
import secrets
from collections.abc import Callable
from typing import Final

from sqlalchemy import delete, insert, text, update

from keyturn_credentials.errors import StoreUnavailableError
from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.errors import map_driver_errors
from keyturn_credentials.store.migrate import Schema, schema_of
from keyturn_credentials.store.tables import event_counter, write_probe

FRESH_SECONDS: Final = 1.0
_ANSWER_SECONDS: Final = 4.0

_FILLING_BYTES: Final = 80 * 1024
"""About as much as SQLite writes for a change to a client: less would still fit where no change does."""

# The row that every change writes, with its own contents: a standby and a lock show, and nothing changes.
_touch: Final = update(event_counter).where(event_counter.c.id == 1).values(value=event_counter.c.value)
_fill: Final = insert(write_probe).returning(write_probe.c.id)
# PostgreSQL updates a row in a page that it has: only new data show a full disk. A set that exceeds work_mem
# is written to a file beside the database's, unless an administrator limits such files.
_spilling: Final = text(
    "SELECT set_config('work_mem', '64kB', true), set_config('temp_tablespaces', '', true)"
)
_spill: Final = text(
    "SELECT count(*) FROM generate_series(1, (SELECT CASE WHEN setting::bigint BETWEEN 0 AND 1024 THEN 0"
    " ELSE 8000 END FROM pg_settings WHERE name = 'temp_file_limit'))"
)
_versions: Final = text("SELECT version_num FROM alembic_version")


class WriteProbe:
    """Writes, and reports why that failed. However often it is called, it writes once in
    ``FRESH_SECONDS``."""

    def __init__(self, database: Database, elapsed: Callable[[], float]) -> None:
        self._database = database
        self._elapsed = elapsed
        self._asking = asyncio.Lock()
        self._asked_at: float | None = None
        self._found: str | None = None

    async def failure(self) -> str | None:
        """Return the reason why no change can be committed, in words; None when one can."""
        async with self._asking:
            now = self._elapsed()
            if self._asked_at is None or now - self._asked_at >= FRESH_SECONDS:
                self._found = await self._probe()
                self._asked_at = self._elapsed()
            return self._found

    async def _probe(self) -> str | None:
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                with map_driver_errors():
                    async with self._database.writing() as connection:
                        versions = set((await connection.execute(_versions)).scalars())
                        if self._database.is_postgresql:
                            await connection.execute(_spilling)
                            await connection.execute(_spill)
                        else:
                            await _take_space(connection)
                        await connection.execute(_touch)
        except StoreUnavailableError as error:
            return error.detail
        except TimeoutError:
            return f"the database did not commit within {_ANSWER_SECONDS:.0f} s"
        if schema_of(versions) is Schema.OLDER:
            found = ", ".join(sorted(versions)) or "none"
            return f"the schema is of an older build (revision {found}): restart to upgrade it"
        return None


async def _take_space(connection: Connection) -> None:
    """Write new pages, then free those of the last time: SQLite writes no page whose contents stay equal,
    so that a full disk would not show."""
    filled = await connection.execute(_fill, {"filling": secrets.token_bytes(_FILLING_BYTES)})
    await connection.execute(delete(write_probe).where(write_probe.c.id != filled.scalar_one()))
