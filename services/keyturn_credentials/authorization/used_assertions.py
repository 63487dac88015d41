"""Record of used assertions in the database, because others can write to Redis."""

import hashlib
from typing import Any, Final

from sqlalchemy import bindparam, delete, func, select

from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.errors import map_driver_errors
from keyturn_credentials.store.tables import used_assertions
from keyturn_credentials.store.unit_of_work import Store
from keyturn_credentials.store.upsert import insert_into
from keyturn_shared.clock import Clock
from keyturn_shared.fleet.replay import AssertionUse
from keyturn_shared.jose import base64url
from keyturn_shared.oauth.errors import ReplayedError, UnavailableError

MAX_OF_ONE: Final = 1000
"""Assertions of one client, or proofs by one key, that are remembered at a time."""

_forget: Final = delete(used_assertions).where(used_assertions.c.forget_at < bindparam("now"))
_count: Final = select(func.count().label("count")).where(
    used_assertions.c.owner == bindparam("owner"), used_assertions.c.forget_at >= bindparam("now")
)


def _remember(*, on_postgresql: bool) -> Any:
    statement = insert_into(used_assertions, on_postgresql=on_postgresql)
    return statement.on_conflict_do_nothing().returning(used_assertions.c.digest)


_known: Final = (
    select(used_assertions.c.digest)
    .where(used_assertions.c.owner.in_(bindparam("owners", expanding=True)))
    .where(used_assertions.c.digest == bindparam("digest"), used_assertions.c.forget_at >= bindparam("now"))
    .limit(1)
)
_remember_on: Final = {each: _remember(on_postgresql=each) for each in (True, False)}


class DatabaseAssertions:
    """A ``UsedAssertions``. Expired entries are deleted at the next use of any. ``leeway_seconds``: the
    greatest difference between the clocks of instances."""

    def __init__(self, store: Store, clock: Clock, leeway_seconds: float) -> None:
        self._database = store.database
        self._clock = clock
        self._leeway = leeway_seconds

    async def mark_used(self, use: AssertionUse) -> None:
        """Mark an assertion. Raises ReplayedError, UnavailableError for a client that uses too many,
        StoreUnavailableError."""
        now = self._clock.now()
        digest = _digest_of(use)
        forget_at = now + max(0.0, use.remember_seconds) + self._leeway
        remember = _remember_on[self._database.is_postgresql]
        with map_driver_errors():
            async with self._database.writing() as connection:
                await connection.execute(_forget, {"now": now})
                await _require_share(connection, use, now)
                for issuer in use.issuers:
                    row = {"owner": issuer, "digest": digest, "forget_at": forget_at}
                    if (await connection.execute(remember, row)).one_or_none() is None:
                        raise ReplayedError(use.jti[:80])

    async def require_unused(self, use: AssertionUse) -> None:
        """Raise like ``mark_used``, and mark nothing."""
        now = self._clock.now()
        asked = {"owners": list(use.issuers), "digest": _digest_of(use), "now": now}
        with map_driver_errors():
            async with self._database.reading() as connection:
                await _require_share(connection, use, now)
                if (await connection.execute(_known, asked)).first() is not None:
                    raise ReplayedError(use.jti[:80])


async def _require_share(connection: Connection, use: AssertionUse, now: float) -> None:
    """Raise UnavailableError for a client that uses too many."""
    # By the UUID alone: whoever creates a client may choose its UUID so that it equals the other name of
    # somebody else's, and would fill that one's share.
    asked = {"owner": use.issuers[-1], "now": now}
    if (await connection.execute(_count, asked)).scalar_one() >= MAX_OF_ONE:
        raise UnavailableError("the client has too many unexpired assertions")


def _digest_of(use: AssertionUse) -> str:
    return base64url.encode_text(hashlib.sha256(use.jti.encode()).digest())
