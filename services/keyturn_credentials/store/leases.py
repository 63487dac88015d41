"""Work that one instance does at a time."""

from typing import Final

from sqlalchemy import func, select

from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.errors import map_driver_errors
from keyturn_credentials.store.notice_tables import leases
from keyturn_credentials.store.upsert import insert_into
from keyturn_shared.clock import Clock

LEASE_SECONDS: Final = 20.0


class Lease:
    """A named lease. It is a courtesy among instances: what they do must be right if two have it, which can
    happen after one hangs."""

    def __init__(self, database: Database, clock: Clock, name: str, holder: str) -> None:
        self._database = database
        self._clock = clock
        self._name = name
        self._holder = holder
        self._sure_until = 0.0

    async def acquire(self) -> bool:
        """Take or renew the lease for ``LEASE_SECONDS``. Return whether this instance has it. For a quarter
        of that time the database is not asked again. Raises StoreUnavailableError."""
        asked_at = self._clock.elapsed()
        if asked_at < self._sure_until:
            return True
        is_taken = await self._take()
        self._sure_until = asked_at + LEASE_SECONDS / 4 if is_taken else 0.0
        return is_taken

    async def _take(self) -> bool:
        with map_driver_errors():
            async with self._database.writing() as connection:
                now = await self._now(connection)
                values = {"name": self._name, "holder": self._holder, "expires_at": now + LEASE_SECONDS}
                of_nobody = (leases.c.holder == self._holder) | (leases.c.expires_at <= now)
                # One that lasts for longer was taken before a clock was set back.
                of_nobody |= leases.c.expires_at > now + LEASE_SECONDS
                statement = insert_into(leases, on_postgresql=self._database.is_postgresql).values(values)
                taken = await connection.execute(
                    statement.on_conflict_do_update(
                        index_elements=["name"], set_=values, where=of_nobody
                    ).returning(leases.c.name)
                )
                return taken.one_or_none() is not None

    async def _now(self, connection: Connection) -> float:
        """Return the time by one clock for all instances: the database server's, if there is one."""
        if not self._database.is_postgresql:
            return self._clock.now()
        now = await connection.execute(select(func.extract("epoch", func.clock_timestamp())))
        return float(now.scalar_one())
