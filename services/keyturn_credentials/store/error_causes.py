"""Causes of database failures: SQLSTATE (PostgreSQL, Appendix A) or SQLite's result code, with their
meanings.

Pure: an exception goes in, a name and its meaning come out. Neither contains the values being written.
"""

import sqlite3
from dataclasses import dataclass
from typing import Final

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

_SQLITE: Final = {
    "SQLITE_FULL": "the disk is full",
    "SQLITE_READONLY": "the database file cannot be written",
    "SQLITE_BUSY": "another process holds the write lock",
    "SQLITE_LOCKED": "another connection holds the write lock",
    "SQLITE_CORRUPT": "the database file is damaged",
    "SQLITE_NOTADB": "the file is not a database",
    "SQLITE_CANTOPEN": "the database file cannot be opened",
    "SQLITE_IOERR": "the disk failed",
    "SQLITE_NOMEM": "memory ran out",
    "SQLITE_CONSTRAINT": "a row breaks a constraint",
    "SQLITE_ERROR": "a statement does not fit the schema",
}
_SQLSTATES: Final = {
    "25006": "the server rejects writes: it is a standby or read-only",
    "26000": "a prepared statement is gone: a connection pooler may share this session",
    "40001": "another transaction was in the way",
    "40P01": "a deadlock was broken",
    "42501": "the user lacks a privilege",
    "42703": "a column is missing: the schema does not fit this build",
    "42P01": "a table is missing: the schema does not fit this build",
    "42883": "a function is missing: the schema does not fit this build",
    "53100": "the disk is full",
    "53200": "memory ran out",
    "53300": "the server accepts no more connections",
    "55P03": "another transaction holds a lock",
    "57014": "a statement took too long",
    "57P01": "the server is shutting down",
    "57P02": "the server crashed and restarts",
    "57P03": "the server is starting or stopping",
    "57P05": "the session was idle for too long",
    "3D000": "the database does not exist",
    "28000": "the user is not allowed to connect",
    "28P01": "the password is wrong",
}
# For unknown codes, by their class of two characters.
_CLASSES: Final = {
    "08": "the connection failed",
    "22": "a value was refused",
    "23": "a row breaks a constraint",
    "25": "a transaction is in a state that does not allow this",
    "28": "the user is not allowed to connect",
    "42": "a statement does not fit the schema",
    "53": "the server ran out of something",
    "57": "an administrator ended the statement",
    "58": "the server's system failed",
    "XX": "the server has an internal error",
}
_LOST_SERVER: Final = frozenset(("25006", "57P01", "57P02", "57P03"))
_DRIVER: Final = (asyncpg.PostgresError, asyncpg.InternalClientError, asyncpg.InterfaceError)
_SCHEMA: Final = frozenset(("42703", "42P01", "42883", "SQLITE_ERROR"))


@dataclass(frozen=True, slots=True)
class Cause:
    """A failure's stable name (SQLSTATE, SQLite's code, or the kind of error), its meaning in words, and the
    driver's own text, which must not be shown to everyone."""

    name: str
    meaning: str
    message: str = ""

    def __str__(self) -> str:
        return f"{self.meaning} ({self.name})" if self.meaning else self.name


def cause_of(error: BaseException) -> Cause:
    """Return the cause of an exception of a driver, or of SQLAlchemy around it."""
    origin = _origin(error)
    if isinstance(origin, sqlite3.Error):
        return _of_sqlite(origin)
    if isinstance(origin, asyncpg.TargetServerAttributeNotMatched):
        return Cause(
            "no_writable_server",
            "no server in the database URL accepts writes: each is a standby or read-only",
        )
    if isinstance(origin, asyncpg.PostgresError):
        state = str(origin.sqlstate or "")
        return Cause(
            state or type(origin).__name__, _SQLSTATES.get(state) or _CLASSES.get(state[:2], ""), str(origin)
        )
    if isinstance(origin, PoolTimeoutError):
        return Cause("pool_timeout", "all connections were in use for too long")
    if isinstance(origin, TimeoutError):
        return Cause("timeout", "it did not respond in time")
    if isinstance(origin, OSError):
        return Cause(type(origin).__name__, origin.strerror or "the server cannot be reached")
    if isinstance(origin, asyncpg.InterfaceError):
        return Cause(type(origin).__name__, "the connection is closed")
    return Cause(type(origin).__name__, "")


def is_about_the_schema(cause: Cause) -> bool:
    """Return whether the schema does not fit: it is another build's, or was changed by hand."""
    return cause.name in _SCHEMA


def leads_to_lost_server(error: BaseException) -> bool:
    """Return whether all connections of the pool are unusable, because their server was demoted, is shutting
    down, or does not answer. New ones may lead to another server."""
    origin = _origin(error)
    if isinstance(origin, asyncpg.PostgresError):
        state = str(origin.sqlstate or "")
        return state in _LOST_SERVER or state.startswith("08")
    return isinstance(origin, TimeoutError | ConnectionError)


def _of_sqlite(error: sqlite3.Error) -> Cause:
    name = str(getattr(error, "sqlite_errorname", "") or type(error).__name__)
    # Extended codes begin with the primary one: SQLITE_IOERR_WRITE, SQLITE_CONSTRAINT_UNIQUE.
    meaning = next(
        (text for code, text in _SQLITE.items() if name == code or name.startswith(f"{code}_")), ""
    )
    return Cause(name, meaning, str(error))


def _origin(error: BaseException) -> BaseException:
    """Return the driver's own exception inside SQLAlchemy's."""
    while True:
        inner = error.orig if isinstance(error, DBAPIError) else None
        if inner is None and not isinstance(error, asyncpg.PostgresError | sqlite3.Error):
            cause = error.__cause__
            inner = cause if isinstance(cause, _DRIVER) else None
        if inner is None or inner is error:
            return error
        error = inner
