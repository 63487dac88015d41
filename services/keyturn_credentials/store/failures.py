"""What the database's drivers raise, told apart: a conflict is the caller's, the rest is the database's."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from keyturn_credentials.errors import ConflictError, StoreUnavailableError

# As SQLAlchemy raises them, and as the drivers do where a statement is handed to them (``direct``).
_REFUSED: Final = (IntegrityError, sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError)
_FAILED: Final = (
    *(TimeoutError, OSError, DBAPIError, PoolTimeoutError),
    *(sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError),
)


@contextmanager
def translated() -> Iterator[None]:
    """Raise StoreUnavailableError for whatever means that the database did not do its work."""
    try:
        yield
    except _REFUSED as error:
        raise StoreUnavailableError(f"the database refused a row: {_told(error)}") from error
    except _FAILED as error:
        raise StoreUnavailableError(f"the database did not answer: {type(error).__name__}") from error


@contextmanager
def conflict(detail: str) -> Iterator[None]:
    """Raise ConflictError with this detail when a row breaks a constraint."""
    try:
        yield
    except _REFUSED as error:
        raise ConflictError(detail) from error


def _told(error: Exception) -> object:
    return error.orig if isinstance(error, IntegrityError) else error
