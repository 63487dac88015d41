"""Keys that verifiers fetched from clients' JWKS URLs, for display."""

from collections.abc import Sequence

from redis.asyncio import Redis

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_shared.clock import Clock
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.key_set_address import KeySetAddress
from keyturn_shared.key_sets.inspection import KeySetHealth, KeySetInspector
from keyturn_shared.key_sets.record import KeySetRecord
from keyturn_shared.key_sets.seal import FetcherKeys, KeySetSeal
from keyturn_shared.signed_log.keys import LogVerificationKeys


class FleetKeySets:
    """Reads fetchers' records in Redis, and ignores records of any other author. ``fetcher_keys``: their
    public keys, as realms name them."""

    def __init__(self, redis: Redis, fetcher_keys: Sequence[str], clock: Clock) -> None:
        self._clock = clock
        fetchers = FetcherKeys(LogVerificationKeys.from_text(",".join(fetcher_keys)))
        self._inspector = KeySetInspector(redis, KeySetSeal(None, fetchers))

    async def health(self, url: str, networks: tuple[str, ...]) -> KeySetHealth | None:
        """Return a URL's health; None if no client needed it recently, or Redis does not answer."""
        return await self.health_of(KeySetAddress.of(url, networks))

    async def thumbprints(self, realm: Realm, client: Client) -> frozenset[str] | None:
        """Return the thumbprints of the keys in use from a client's URL: none if it has failed for too long;
        None if it was not fetched lately, and if Redis does not answer."""
        if client.jwks_url is None:
            return None
        health = await self.health(client.jwks_url, realm.allowed_networks)
        return None if health is None else health.thumbprints_in_use(self._clock.now())

    async def health_of(self, address: KeySetAddress) -> KeySetHealth | None:
        """Return the health of a key set, as above."""
        try:
            return await self._inspector.inspect(address)
        except RedisUnavailableError:
            return None

    async def record(self, address: KeySetAddress) -> KeySetRecord | None:
        """Return what fetchers stored last; None if no client needed it recently. Raises
        RedisUnavailableError."""
        return await self._inspector.record(address)

    async def healths(self, urls: Sequence[str], networks: tuple[str, ...]) -> list[KeySetHealth | None]:
        """Return the health of several URLs, in order. Raises RedisUnavailableError."""
        return await self._inspector.inspect_all([KeySetAddress.of(url, networks) for url in urls])
