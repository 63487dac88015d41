"""All exceptions by which redis-py reports that Redis is unavailable, in one place."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from redis.exceptions import RedisClusterException, RedisError

from keyturn_shared.errors import RedisUnavailableError

_CONNECTION: Final = "redis.asyncio.connection"
REDIS_FAILURES: Final = (RedisError, RedisClusterException, OSError, TimeoutError)
"""A cluster's own exceptions are not a ``RedisError``; those of sockets and time limits are passed
through."""


@contextmanager
def redis_answers(what: str) -> Iterator[None]:
    """Raise RedisUnavailableError in place of redis-py's exceptions. ``what``: the operation."""
    try:
        yield
    except REDIS_FAILURES as error:
        raise RedisUnavailableError(f"{what}: {error or type(error).__name__}") from error
    except (AttributeError, RuntimeError) as error:
        if not _of_a_closed_connection(error):
            raise
        raise RedisUnavailableError(f"{what}: its connection was closed: {error}") from error


def _of_a_closed_connection(error: Exception) -> bool:
    """Return whether redis-py used a connection that another call had closed.

    A cluster client closes all its connections when one call finds the cluster down, including those of other
    calls. The resulting error depends on the event loop and the moment: the transport is None, or closed.
    """
    return any(
        frame.f_globals.get("__name__") == _CONNECTION for frame, _ in traceback.walk_tb(error.__traceback__)
    )
