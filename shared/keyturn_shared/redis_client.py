"""Redis clients with time limits."""

from typing import Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from keyturn_shared.errors import ConfigurationError

CONNECT_SECONDS: Final = 2.0
ANSWER_SECONDS: Final = 3.0


def connect(url: str, *, answer_seconds: float = ANSWER_SECONDS) -> Redis:
    """A client for ``redis://``, ``rediss://`` or ``unix://``. It connects when first used.

    Nothing is retried here: what a lost answer means differs from call to call, so the caller decides.
    """
    try:
        client: Redis = Redis.from_url(
            url,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=answer_seconds,
            retry=Retry(NoBackoff(), 0),
            health_check_interval=0,
        )
    except ValueError as error:
        raise ConfigurationError(f"the Redis URL cannot be used: {error}") from error
    return client
