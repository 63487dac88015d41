"""Names of settings in configuration errors."""

from collections.abc import Iterator
from contextlib import contextmanager

from keyturn_shared.errors import ConfigurationError


@contextmanager
def named_setting(variable: str) -> Iterator[None]:
    """Prefix a ConfigurationError about a value with the name of its variable."""
    try:
        yield
    except ConfigurationError as error:
        raise ConfigurationError(f"{variable}: {error.detail}") from error
