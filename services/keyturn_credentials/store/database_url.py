"""Database URLs."""

from pathlib import Path
from typing import Final

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from keyturn_shared.errors import ConfigurationError

POSTGRESQL: Final = "postgresql+asyncpg"
_SQLITE: Final = "sqlite+aiosqlite"


def check_database_url(url: str) -> str:
    """Return the driver that a URL names. Raises ConfigurationError, which shows no password, for any but the
    two that are supported."""
    try:
        driver = make_url(url).drivername
    except (ArgumentError, ValueError) as error:  # ValueError: of a port that is no number
        raise ConfigurationError("the database URL cannot be read") from error
    if driver not in (_SQLITE, POSTGRESQL):
        raise ConfigurationError(f"the database URL must begin with {_SQLITE} or {POSTGRESQL}")
    return driver


def require_database_file(url: str) -> None:
    """Raise ConfigurationError if the URL names a file of SQLite that does not exist: connecting would make
    it."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database and not Path(parsed.database).exists():
        raise ConfigurationError(f"there is no database {parsed.database}")
