"""Imports that need an extra: the error names the missing extra and how to install it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from keyturn_shared.errors import KeyturnError

_OWN: Final = frozenset({"keyturn", "keyturn_credentials", "keyturn_shared", "keyturn_verifier"})


class MissingExtraError(KeyturnError, ModuleNotFoundError):
    """A part of keyturn is imported whose dependencies are not installed; ``extra`` installs them."""

    code = "missing_extra"

    def __init__(self, extra: str, module: str) -> None:
        super().__init__(f"there is no module named {module}: install it with pip install 'keyturn[{extra}]'")
        self.extra = extra
        self.name = module


@contextmanager
def needing(extra: str) -> Iterator[None]:
    """Wrap imports that need an extra. Raises MissingExtraError for a module that is not installed."""
    try:
        yield
    except MissingExtraError:
        raise
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in _OWN:
            raise
        raise MissingExtraError(extra, error.name or str(error)) from error
