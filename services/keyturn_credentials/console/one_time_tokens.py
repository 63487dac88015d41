"""Used one-time links and signed-out sessions."""

from redis.asyncio import Redis

from keyturn_shared.fleet.layout import Layout
from keyturn_shared.redis_failures import redis_answers


class OneTimeTokens:
    """Remembered in Redis for all instances. Every method raises RedisUnavailableError."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._prefix = f"{Layout().prefix}console-spent:"

    async def spend(self, number: str, seconds: int) -> bool:
        """Use a number up, and remember that for ``seconds``. Return False if it was used before."""
        with redis_answers("using up a number of the console"):
            return bool(await self._redis.set(f"{self._prefix}{number}", b"1", nx=True, ex=seconds))

    async def is_spent(self, number: str) -> bool:
        with redis_answers("looking up a number of the console"):
            return await self._redis.get(f"{self._prefix}{number}") is not None
