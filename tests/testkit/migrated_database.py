"""Databases with this build's schema: migrated once in each process of tests, and copied."""

import asyncio
import threading
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sqlalchemy import make_url

from keyturn_credentials.store.database import Database
from keyturn_credentials.store.migrate import migrate
from tests.testkit.postgres import PostgresServer

_SQLITE: Final = "sqlite+aiosqlite:///"


def put_schema(database_url: str) -> None:
    """Put an empty database where the URL points, unless something is there, or it is neither a file of
    SQLite's nor a database of this process's PostgreSQL. A start then has nothing to migrate, which takes
    longer than most tests."""
    if not database_url.startswith(_SQLITE):
        url = make_url(database_url)
        server = PostgresServer.at.get(str(url.query.get("host")))
        if server is not None and url.database is not None:
            server.fill_database(url.database, _make)
        return
    path = Path(database_url.removeprefix(_SQLITE))
    if path.name != ":memory:" and path.parent.is_dir() and not path.exists():
        path.write_bytes(_migrated())


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as directory:
        path = Path(directory, "keyturn.db")
        _make(f"{_SQLITE}{path}")
        return path.read_bytes()


def _make(database_url: str) -> None:
    # The caller may be in an event loop.
    maker = threading.Thread(target=lambda: asyncio.run(_migrate(database_url)))
    maker.start()
    maker.join()


async def _migrate(database_url: str) -> None:
    database = Database(database_url)
    await migrate(database)
    await database.close()
