"""The keys that verifiers fetched from clients' JWKS URLs, for showing them."""

from redis.asyncio import Redis

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.key_sets.address import KeySetAddress
from keyturn_shared.key_sets.inspection import FetchedKey, KeySetHealth, KeySetInspector


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

    async def keys_at(self, url: str, networks: tuple[str, ...]) -> tuple[FetchedKey, ...]:
        """The keys in use of a URL."""
        health = await self.health(url, networks)
        return () if health is None else health.keys
