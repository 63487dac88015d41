"""Persons' sign-ins to the console, and sessions, that are over; known to every instance."""

import hashlib
from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import case, delete, select

from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.tables import ended_sign_ins
from keyturn_credentials.store.unit_of_work import Reading, UnitOfWork
from keyturn_credentials.store.upsert import insert_into

KEPT_SECONDS: Final = 13 * 3600.0
"""Time for which the end of a session is remembered: an hour longer than any lasts, in case an instance's
clock is behind."""

_LEAST_SECONDS: Final = 0.001


def of_realm(realm_id: str) -> str:
    """Return the digest for what all sessions may do in a realm: it ends with the realm's tokens."""
    return hashlib.sha256(f"realm\0{realm_id}".encode()).hexdigest()


async def spend(transaction: UnitOfWork, digest: str, *, seconds: float) -> bool:
    """Use up something that may be used once, and remember that for this time. Return False if it was used
    before."""
    return await _insert(transaction, digest, seconds) > 0


async def end(transaction: UnitOfWork, digests: Sequence[str], *, seconds: float) -> None:
    """Mark these as ended now, and remember that for this time. Those that ended before have ended again,
    later than before by whatever clock."""
    at = ended_sign_ins.c.ended_at
    later = case((at < transaction.now, transaction.now), else_=at + _LEAST_SECONDS)
    for digest in digests:
        if not await _insert(transaction, digest, seconds):
            row = ended_sign_ins.update().where(ended_sign_ins.c.id == digest)
            times = {"ended_at": later, "kept_until": later + seconds}
            await transaction.connection.execute(row.values(times))


async def ended_among(reading: Reading, digests: Collection[str]) -> dict[str, float]:
    """Return when those of these ended that have, in NumericDate seconds."""
    rows = await reading.connection.execute(
        select(ended_sign_ins.c.id, ended_sign_ins.c.ended_at).where(ended_sign_ins.c.id.in_(digests))
    )
    return {row.id: float(row.ended_at) for row in rows}


async def forget_ended(transaction: UnitOfWork, before: float, most: int) -> int:
    """Delete at most ``most`` entries that were to be kept until before this time. Return their number."""
    connection = transaction.connection
    old = await _ids_kept_until(connection, before, most)
    if old:
        await connection.execute(delete(ended_sign_ins).where(ended_sign_ins.c.id.in_(old)))
    return len(old)


async def _insert(transaction: UnitOfWork, digest: str, seconds: float) -> int:
    connection = transaction.connection
    on_postgresql = connection.dialect.name == "postgresql"
    row = {"id": digest, "ended_at": transaction.now, "kept_until": transaction.now + seconds}
    statement = insert_into(ended_sign_ins, on_postgresql=on_postgresql).values(row)
    found = await connection.execute(
        statement.on_conflict_do_nothing(index_elements=["id"]).returning(ended_sign_ins.c.id)
    )
    return len(found.all())


async def _ids_kept_until(connection: Connection, before: float, most: int) -> list[str]:
    wanted = select(ended_sign_ins.c.id).where(ended_sign_ins.c.kept_until < before)
    return list((await connection.execute(wanted.limit(most))).scalars())
