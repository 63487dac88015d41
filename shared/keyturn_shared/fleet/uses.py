"""When credentials were last used: nodes write it down now and then, for people who want to know.

Nothing depends on it. It is lost with Redis, and a minute old.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.replies import as_text

KEPT_SECONDS: Final = 180 * 86_400

Use = tuple[str, str]
"""A client's uuid, and the name of one of its credentials."""


def name_of_key(thumbprint: str) -> str:
    """A key's name, by its RFC 7638 thumbprint."""
    return f"key:{thumbprint}"


def name_of_secret(digest: str) -> str:
    """A secret's name: of its digest under the fleet keys, and short, so that it says nothing about it."""
    return f"secret:{hashlib.sha256(digest.encode()).hexdigest()[:16]}"


class CredentialUseRegistry:
    """One hash for each client. Every method raises RedisUnavailableError."""

    def __init__(self, redis: Redis, layout: Layout | None = None) -> None:
        self._redis = redis
        self._layout = layout or Layout()

    async def write(self, uses: Mapping[Use, float]) -> None:
        """Set when each was used, NumericDate seconds, in one round trip."""
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for (client_uuid, name), at in uses.items():
                    key = self._layout.uses(client_uuid)
                    pipeline.hset(key, name, str(int(at)))
                    pipeline.expire(key, KEPT_SECONDS)
                await pipeline.execute()
        except (RedisError, OSError, TimeoutError) as error:
            raise RedisUnavailableError(f"noting uses of credentials: {error}") from error

    async def read(self, client_uuid: str) -> dict[str, float]:
        """Names of a client's credentials and when they were last used."""
        try:
            found = await self._redis.hgetall(self._layout.uses(client_uuid))
        except (RedisError, OSError, TimeoutError) as error:
            raise RedisUnavailableError(f"reading uses of credentials: {error}") from error
        return {as_text(name): float(at) for name, at in found.items()}
