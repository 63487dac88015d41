"""The keys that verifiers fetched from clients' JWKS URLs, for showing them."""

from collections.abc import Sequence

from redis.asyncio import Redis

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.key_sets.address import KeySetAddress
from keyturn_shared.key_sets.inspection import KeySetHealth, KeySetInspector


class FleetKeySets:
    """Reads what the fetchers recorded in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._inspector = KeySetInspector(redis)

    async def health(self, url: str, networks: tuple[str, ...]) -> KeySetHealth | None:
        """What is known of a URL; None when no client needed it lately, or Redis does not answer."""
        try:
            return await self._inspector.inspect(KeySetAddress.of(url, networks))
        except RedisUnavailableError:
            return None

    async def healths(self, urls: Sequence[str], networks: tuple[str, ...]) -> list[KeySetHealth | None]:
        """Of several, in order. Raises RedisUnavailableError."""
        return await self._inspector.inspect_all([KeySetAddress.of(url, networks) for url in urls])
