"""Numbers that were used up: one-time links, and sessions that were signed out."""

from redis.asyncio import Redis
from redis.exceptions import RedisError

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.layout import Layout


class SpentNumbers:
    """Remembered in Redis, for all instances. Every method raises RedisUnavailableError."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._prefix = f"{Layout().prefix}console-spent:"

    async def spend(self, number: str, seconds: int) -> bool:
        """Use it up, and remember that for ``seconds``; False when it was before."""
        try:
            return bool(await self._redis.set(f"{self._prefix}{number}", b"1", nx=True, ex=seconds))
        except (RedisError, OSError, TimeoutError) as error:
            raise RedisUnavailableError(f"using up a number of the console: {error}") from error

    async def is_spent(self, number: str) -> bool:
        try:
            return await self._redis.get(f"{self._prefix}{number}") is not None
        except (RedisError, OSError, TimeoutError) as error:
            raise RedisUnavailableError(f"looking up a number of the console: {error}") from error
