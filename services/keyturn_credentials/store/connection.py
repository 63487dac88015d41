"""The store's interface to a connection: SQLAlchemy's statements, awaited, on either database."""

from collections.abc import Callable
from typing import Any, Protocol

from sqlalchemy.engine import Dialect, Result


class Connection(Protocol):
    """SQLAlchemy's ``AsyncConnection`` implements it, and so does ``SqliteConnection``. Read each result
    before the next statement."""

    @property
    def dialect(self) -> Dialect: ...

    async def execute(self, statement: Any, parameters: Any = None, /) -> Result[Any]:
        """Run one statement with its parameters, or with each of a list of them."""
        ...

    async def exec_driver_sql(self, statement: str, parameters: Any = None, /) -> Result[Any]:
        """Run SQL in the database's own dialect."""
        ...

    async def run_sync(self, function: Callable[..., Any], /, *arguments: Any) -> Any:
        """Call a function with SQLAlchemy's synchronous connection, as Alembic needs it."""
        ...
