"""SQLite databases with this build's schema: migrated once in each process of tests, and copied."""

import asyncio
import threading
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from keyturn_credentials.store.database import Database
from keyturn_credentials.store.migrate import migrate

_SQLITE: Final = "sqlite+aiosqlite:///"


def put_schema(database_url: str) -> None:
    """Put an empty database where the URL points, unless something is there or it is not a file of SQLite's.
    A start then has nothing to migrate, which takes longer than most tests."""
    if not database_url.startswith(_SQLITE):
        return
    path = Path(database_url.removeprefix(_SQLITE))
    if path.name != ":memory:" and path.parent.is_dir() and not path.exists():
        path.write_bytes(_migrated())


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as directory:
        path = Path(directory, "keyturn.db")
        # The caller may be in an event loop.
        maker = threading.Thread(target=lambda: asyncio.run(_make(path)))
        maker.start()
        maker.join()
        return path.read_bytes()


async def _make(path: Path) -> None:
    database = Database(f"{_SQLITE}{path}")
    await migrate(database)
    await database.close()
