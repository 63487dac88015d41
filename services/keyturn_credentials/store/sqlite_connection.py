"""SQLite for asyncio: SQLAlchemy's synchronous connection, and a thread for whatever may block.

A statement that finds its rows by key takes less time than a switch to another thread and back. On a
connection for such statements, only operations that may wait for a lock or the disk leave the event loop's
thread: connecting, BEGIN, COMMIT and ROLLBACK.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, Self, TypeVar

from sqlalchemy import Engine
from sqlalchemy.engine import Connection, Dialect, Result

T = TypeVar("T")


class SqliteConnection:
    """One connection, with its own thread, used by one task at a time. With ``by_key``, outside of
    transactions, any number of tasks may use it, as each statement then runs at once and to its end."""

    def __init__(self, connection: Connection, executor: Executor, *, by_key: bool) -> None:
        self._connection = connection
        self._executor = executor
        self._by_key = by_key

    @classmethod
    async def open(cls, engine: Engine, *, by_key: bool = False) -> Self:
        """Connect. ``by_key``: for statements that find their rows by key; long ones would block everything
        else. Raises like SQLAlchemy on connecting."""
        executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite")
        try:
            return cls(await _finish(executor, engine.connect), executor, by_key=by_key)
        except BaseException:  # also on cancellation: otherwise the thread would never end
            executor.shutdown(wait=False)
            raise

    @property
    def dialect(self) -> Dialect:
        return self._connection.dialect

    async def execute(self, statement: Any, parameters: Any = None, /) -> Result[Any]:
        if self._by_key:
            return self._connection.execute(statement, parameters)
        return await _finish(self._executor, self._read_all, self._connection.execute, statement, parameters)

    async def exec_driver_sql(self, statement: str, parameters: Any = None, /) -> Result[Any]:
        run = self._connection.exec_driver_sql
        return await _finish(self._executor, self._read_all, run, statement, parameters)

    async def run_sync(self, function: Callable[..., T], /, *arguments: Any) -> T:
        return await _finish(self._executor, function, self._connection, *arguments)

    @asynccontextmanager
    async def transaction(self, begin: str = "BEGIN IMMEDIATE") -> AsyncIterator[None]:
        """Open a transaction, by default with the write lock from the start; committed at the end of
        the block, rolled back if it raises or is cancelled."""
        try:
            await self.exec_driver_sql(begin)
            yield
            await self.exec_driver_sql("COMMIT")
        except BaseException:  # also on cancellation: the write lock would stay taken
            await self._rollback()
            raise

    async def _rollback(self) -> None:
        """Undo what is not committed, if anything; the driver checks that."""
        await _finish(self._executor, self._connection.connection.rollback)

    async def close(self) -> None:
        try:
            await _finish(self._executor, self._connection.close)
        finally:
            self._executor.shutdown(wait=False)

    @staticmethod
    def _read_all(run: Callable[..., Result[Any]], statement: Any, parameters: Any) -> Result[Any]:
        """Run a statement and fetch all rows in the same thread."""
        result = run(statement, parameters)
        return result.freeze()() if result.returns_rows else result  # type: ignore[attr-defined]  # a cursor's


async def _finish(executor: Executor, function: Callable[..., T], *arguments: Any) -> T:
    """Call a function in the thread and wait for its end, even if cancelled: nothing else may use the
    connection before."""
    future = asyncio.get_running_loop().run_in_executor(executor, function, *arguments)
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return future.result()
    future.exception()  # mark it as retrieved; the caller is gone
    raise cancelled
