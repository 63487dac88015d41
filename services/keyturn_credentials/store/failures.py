"""What the database's drivers raise, told apart: a conflict is the caller's, the rest is the database's."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from keyturn_credentials.errors import ConflictError, StoreUnavailableError


@contextmanager
def translated() -> Iterator[None]:
    """Raise StoreUnavailableError for whatever means that the database did not do its work."""
    try:
        yield
    except IntegrityError as error:
        raise StoreUnavailableError(f"the database refused a row: {error.orig}") from error
    except (TimeoutError, DBAPIError, PoolTimeoutError, OSError) as error:
        raise StoreUnavailableError(f"the database did not answer: {type(error).__name__}") from error


@contextmanager
def conflict(detail: str) -> Iterator[None]:
    """Raise ConflictError with this detail when a row breaks a constraint."""
    try:
        yield
    except IntegrityError as error:
        raise ConflictError(detail) from error
