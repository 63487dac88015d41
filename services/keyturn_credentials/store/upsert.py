"""INSERT … ON CONFLICT, which both databases support and SQLAlchemy names differently."""

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

Upsert = postgresql.Insert | sqlite.Insert


def insert_into(table: Table, *, on_postgresql: bool) -> Upsert:
    """Return an INSERT with ``on_conflict_do_update``, in the database's own dialect."""
    return postgresql.insert(table) if on_postgresql else sqlite.insert(table)
