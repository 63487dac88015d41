"""Mapping of database errors: a violated constraint is the caller's conflict, everything else a failure."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from keyturn_credentials.errors import ConflictError, StoreUnavailableError
from keyturn_credentials.store.error_causes import cause_of, is_about_the_schema

DRIVER_FAILURES: Final = (
    *(TimeoutError, OSError, DBAPIError, PoolTimeoutError),
    # From connecting or rolling back: SQLAlchemy wraps only the errors of statements.
    *(sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError),
)
"""All exceptions by which a database fails."""

_log = structlog.get_logger(__name__)


@contextmanager
def map_driver_errors() -> Iterator[None]:
    """Raise StoreUnavailableError, with the cause in words, when the database fails. The cause is also
    logged, whatever happens to the error."""
    try:
        yield
    except DRIVER_FAILURES as error:
        cause = cause_of(error)
        # The text of an error may contain the values being written. A schema error names tables and columns.
        driver = {"driver_message": cause.message} if is_about_the_schema(cause) else {}
        _log.warning("database_failed", cause=cause.name, meaning=cause.meaning, **driver)
        raise StoreUnavailableError(f"the database failed: {cause}") from error


@contextmanager
def conflict(detail: str) -> Iterator[None]:
    """Raise ConflictError with this detail when a constraint is violated."""
    try:
        yield
    except IntegrityError as error:
        raise ConflictError(detail) from error
