"""Causes of database failures are named in words, and never contain the values being written."""

import sqlite3

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from keyturn_credentials.store.error_causes import (
    cause_of,
    is_about_the_schema,
    leads_to_lost_server,
)


def of_sqlite(name: str, text: str = "text") -> sqlite3.Error:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorname = name  # as the driver sets it
    return error


def wrapped(error: BaseException) -> DBAPIError:
    return OperationalError("INSERT …", {}, error)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (of_sqlite("SQLITE_FULL"), "the disk is full (SQLITE_FULL)"),
        (of_sqlite("SQLITE_BUSY"), "another process holds the write lock (SQLITE_BUSY)"),
        (of_sqlite("SQLITE_BUSY_SNAPSHOT"), "another process holds the write lock (SQLITE_BUSY_SNAPSHOT)"),
        (
            of_sqlite("SQLITE_READONLY_DBMOVED"),
            "the database file cannot be written (SQLITE_READONLY_DBMOVED)",
        ),
        (of_sqlite("SQLITE_IOERR_WRITE"), "the disk failed (SQLITE_IOERR_WRITE)"),
        (of_sqlite("SQLITE_ELSE"), "SQLITE_ELSE"),
        (wrapped(of_sqlite("SQLITE_FULL")), "the disk is full (SQLITE_FULL)"),
        (
            asyncpg.ReadOnlySQLTransactionError("text"),
            "the server rejects writes: it is a standby or read-only (25006)",
        ),
        (asyncpg.DiskFullError("text"), "the disk is full (53100)"),
        (asyncpg.TooManyConnectionsError("text"), "the server accepts no more connections (53300)"),
        (asyncpg.PostgresIOError("text"), "the server's system failed (58030)"),
        (asyncpg.NotNullViolationError("text"), "a row breaks a constraint (23502)"),
        (asyncpg.InterfaceError("text"), "the connection is closed (InterfaceError)"),
        (PoolTimeoutError("text"), "all connections were in use for too long (pool_timeout)"),
        (TimeoutError(), "it did not respond in time (timeout)"),
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused (ConnectionRefusedError)"),
    ],
)
def test_a_cause_has_a_name_and_a_meaning(error: BaseException, told: str) -> None:
    assert str(cause_of(error)) == told


def test_a_cause_does_not_repeat_the_text_of_the_driver() -> None:
    secret = 'invalid input syntax: "the-secret"'
    for error in (asyncpg.InvalidTextRepresentationError(secret), of_sqlite("SQLITE_MISMATCH", secret)):
        assert "the-secret" not in str(cause_of(error))


@pytest.mark.parametrize(
    ("error", "is_lost"),
    [
        (asyncpg.ReadOnlySQLTransactionError("text"), True),
        (asyncpg.AdminShutdownError("text"), True),
        (asyncpg.CannotConnectNowError("text"), True),
        (asyncpg.ConnectionDoesNotExistError("text"), True),
        (TimeoutError(), True),
        (ConnectionResetError(), True),
        (asyncpg.UniqueViolationError("text"), False),
        (asyncpg.LockNotAvailableError("text"), False),
        (asyncpg.QueryCanceledError("text"), False),
        (of_sqlite("SQLITE_FULL"), False),
    ],
)
def test_a_server_is_lost_when_its_other_sessions_are_of_no_use_either(
    error: BaseException, is_lost: bool
) -> None:
    assert leads_to_lost_server(error) is is_lost


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (asyncpg.UndefinedColumnError("text"), True),
        (asyncpg.UndefinedTableError("text"), True),
        (of_sqlite("SQLITE_ERROR"), True),
        (asyncpg.DiskFullError("text"), False),
    ],
)
def test_a_schema_that_does_not_fit_is_told_apart(error: BaseException, expected: bool) -> None:
    assert is_about_the_schema(cause_of(error)) is expected
