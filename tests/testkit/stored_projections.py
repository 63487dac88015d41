"""Projections as the database has them."""

from collections.abc import Collection

from sqlalchemy import select

from keyturn_credentials.store.database import Database
from keyturn_credentials.store.tables import projections


async def stored_projections(
    database: Database, fields: Collection[str]
) -> dict[str, tuple[int, bytes | None]]:
    """Return sequence and JSON of the named projections; None for a deleted one."""
    statement = select(projections.c.field, projections.c.sequence, projections.c.body).where(
        projections.c.field.in_(fields)
    )
    return {row.field: (row.sequence, row.body) for row in await database.find(statement)}
