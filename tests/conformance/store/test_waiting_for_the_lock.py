"""A writer that gives up while another process holds SQLite's lock leaves its connection usable."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from keyturn_credentials.store.database import Database
from keyturn_credentials.store.engine_factory import Limits
from keyturn_credentials.store.migrate import migrate

_LONGER_THAN_A_CLOSE = 4.0
"""Seconds. SQLAlchemy gives a connection of PostgreSQL two to close."""

_TURNS = 50


@pytest.mark.parametrize(
    "released", ["while it waits", "when a close would have given up", "when it gave up"]
)
async def test_a_writer_that_gives_up_while_it_waits_for_the_lock_holds_up_nobody_after_it(
    tmp_path: Path, released: str
) -> None:
    file = tmp_path / "keyturn.db"
    database = Database(f"sqlite+aiosqlite:///{file}", limits=Limits(_LONGER_THAN_A_CLOSE, 1.0))
    await migrate(database)

    async def write() -> None:
        async with database.writing():
            pass

    await write()  # connects, so that a few turns of the loop lead to BEGIN
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(write())
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        waiting.cancel()
        if released == "when a close would have given up":
            await asyncio.wait([waiting], timeout=_LONGER_THAN_A_CLOSE * 0.6)
        if released == "when it gave up":
            await asyncio.wait([waiting])
        other.execute("ROLLBACK")
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    async with asyncio.timeout(60):
        await write()
    await database.close()
