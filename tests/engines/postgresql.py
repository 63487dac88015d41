"""PostgreSQL with a standby that takes over, and a name that follows late."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import asyncpg

from tests.engines.engine import Inject
from tests.testkit.database_name import DatabaseName
from tests.testkit.postgres import PostgresServer

_ASKED_SECONDS: Final = 2.0
_CLIENT_FAILURES: Final = (asyncpg.InterfaceError, asyncpg.InternalClientError)
"""Errors of asyncpg when a server disappears at the wrong moment."""
NAME_LATE_SECONDS: Final = 5.0
"""Time for which the name still leads to the old server after the new one has taken over."""


class PostgreSql:
    """``moved``: when the name was last pointed to the new primary."""

    name = "postgresql"

    def __init__(self, directory: Path, redis_url: str) -> None:
        self.redis_url = redis_url
        self.moved = 0.0
        self._primary = PostgresServer()
        self._standby: PostgresServer | None = None
        self._database_name = DatabaseName(directory)

    @classmethod
    @asynccontextmanager
    async def started(cls, directory: Path, redis_url: str) -> AsyncIterator["PostgreSql"]:
        engine = cls(directory, redis_url)
        try:
            await asyncio.to_thread(engine._start)
            yield engine
        finally:
            for server in (engine._standby, engine._primary):
                if server is not None:
                    await asyncio.to_thread(server.close)

    def _start(self) -> None:
        self._primary.start()
        self._database_name.lead_to(self._primary)
        self._database = self._primary.create_database()
        self.database_url = self._database_name.url(self._database)
        self._standby = self._primary.standby().start()
        self._wait_for(self._primary)

    @property
    def faults(self) -> Mapping[str, Inject]:
        return {
            "switched over, old primary a standby": self._switch_over,
            "primary killed, standby promoted": self._lose_primary,
        }

    async def takes_writes(self) -> bool:
        """Return whether the server behind the name accepts writes."""
        try:
            async with asyncio.timeout(_ASKED_SECONDS):
                host = str(self._database_name.link)
                connection = await asyncpg.connect(host=host, user="keyturn", database=self._database)
                try:
                    return not await connection.fetchval("SELECT pg_is_in_recovery()")
                finally:
                    with contextlib.suppress(TimeoutError):
                        await connection.close(timeout=1)
        except (OSError, TimeoutError, asyncpg.PostgresError, *_CLIENT_FAILURES):
            return False

    async def whole(self) -> bool:
        asked = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
        return (await asyncio.to_thread(self._primary.execute, asked)).strip() == "1"

    async def _switch_over(self) -> None:
        """Stop the primary cleanly; it comes back as a standby while the name leads to it."""
        former, successor = self._both()
        await asyncio.to_thread(former.stop)
        await asyncio.to_thread(successor.promote)
        former.follow(successor)
        await asyncio.to_thread(former.start)
        await asyncio.sleep(NAME_LATE_SECONDS)
        await self._move(successor, former)

    async def _lose_primary(self) -> None:
        """Kill the primary; commits waited for the standby, so it has all of them."""
        former, successor = self._both()
        await asyncio.to_thread(former.kill)
        await asyncio.to_thread(successor.promote)
        await asyncio.sleep(NAME_LATE_SECONDS)
        # A killed server may have commits that no other has, so another takes its place.
        another = await asyncio.to_thread(successor.standby)
        await asyncio.to_thread(another.start)
        await self._move(successor, another)
        await asyncio.to_thread(former.close)

    def _both(self) -> tuple[PostgresServer, PostgresServer]:
        assert self._standby is not None
        return self._primary, self._standby

    async def _move(self, primary: PostgresServer, standby: PostgresServer) -> None:
        self._database_name.lead_to(primary)
        self.moved = time.monotonic()
        self._primary, self._standby = primary, standby
        await asyncio.to_thread(self._wait_for, primary)

    @staticmethod
    def _wait_for(primary: PostgresServer) -> None:
        """Make commits wait for the standby from now on. A standby does not inherit this."""
        primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        primary.execute("SELECT pg_reload_conf()")
