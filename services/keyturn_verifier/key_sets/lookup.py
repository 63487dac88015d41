"""Lookup of the keys that a client's token may have been signed with."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from keyturn_shared.clock import Clock
from keyturn_shared.jose.algorithms import SIGNATURE_ALGORITHMS
from keyturn_shared.jose.jwk import Thumbprint
from keyturn_shared.jose.key_set import Candidates
from keyturn_shared.key_set_address import KeySetAddress
from keyturn_shared.key_sets.announcement import KeySetFetched
from keyturn_shared.key_sets.freshness import Freshness, freshness_of
from keyturn_shared.key_sets.record import Required
from keyturn_shared.key_sets.seal import FetcherKeys
from keyturn_shared.oauth.cached_client import inline_candidates
from keyturn_shared.oauth.key_errors import UnknownKidError
from keyturn_shared.oauth.trusted_issuers import KeyOwner, TrustedIssuer
from keyturn_shared.position import Position
from keyturn_shared.projection import RealmProjection
from keyturn_verifier.key_sets.cache import CachedKeySet, KeySetCache
from keyturn_verifier.key_sets.metrics import KeySetMetrics
from keyturn_verifier.key_sets.on_demand_refresh import OnDemandRefresh
from keyturn_verifier.key_sets.policy import KeySetPolicy
from keyturn_verifier.key_sets.redis_repository import KeySetRepository
from keyturn_verifier.key_sets.tasks import key_set_task

_TOUCH_SECONDS: Final = 1.0
_TOUCHES_AT_ONCE: Final = 500
_READS_AT_ONCE: Final = 32


@dataclass(frozen=True, slots=True)
class _Source:
    """Source of the keys of a realm and a client or issuer whose keys come from a URL."""

    realm: RealmProjection
    client: KeyOwner
    address: KeySetAddress
    keys_not_before: int


class KeySetLookup:
    """Finds keys by kid. ``position``: the node's position in the event log. Its tasks tell Redis which key
    sets are in use, and follow announcements."""

    def __init__(
        self,
        channel: KeySetRepository,
        key_sets: KeySetCache,
        demands: OnDemandRefresh,
        policy: KeySetPolicy,
        clock: Clock,
        metrics: KeySetMetrics,
        position: Callable[[], Position],
        fetchers: FetcherKeys,
    ) -> None:
        self._channel = channel
        self._key_sets = key_sets
        self._demands = demands
        self._policy = policy
        self._clock = clock
        self._position = position
        self._fetchers = fetchers
        self._sources: dict[str, _Source] = {}
        self._touched: dict[str, float] = {}
        self._outdated: dict[str, None] = {}
        self._news = asyncio.Event()
        rounds = {"touch": self._tell_uses, "read": self._read_outdated}
        self.tasks: Final = [key_set_task(name, work, clock, metrics) for name, work in rounds.items()]

    async def find(
        self,
        realm: RealmProjection,
        client: KeyOwner,
        kid: str | Thumbprint | None,
        alg: str,
        *,
        excluded: frozenset[str] = frozenset(),
    ) -> Candidates:
        """Return the client's or issuer's keys for this ``kid`` and ``alg``, at least one; for a thumbprint,
        the key that has it.

        ``excluded``: thumbprints of keys that failed to verify the token. If only these match, the set is
        fetched again as for an unknown kid, since a client may have published another key under the same kid.
        Revoked keys are included only if there are no others; the signature check refuses them. Raises
        UnknownKidError, or KeysUnavailableError if the keys cannot be obtained.
        """
        useless = client.revoked_thumbprints | excluded if excluded else client.revoked_thumbprints
        if not isinstance(client, TrustedIssuer) and client.jwks_url is None:
            if excluded:
                raise UnknownKidError("the client has only its configured keys")
            return inline_candidates(client, kid, alg)
        self._fetchers.learn(realm.fetcher_keys)
        source = self._source(realm, client)
        if alg not in SIGNATURE_ALGORITHMS:
            raise UnknownKidError(f"a JWK Set has no keys for {alg!r:.40}")
        required = Required(self._position().epoch, source.keys_not_before)
        cached = self._key_sets.get(source.address.id)
        if cached is not None:
            freshness = freshness_of(cached.record, required, self._clock.now(), lease=self._policy.lease)
            if freshness is Freshness.FRESH or freshness is Freshness.OUTAGE:
                self._touch(source.address.id, cached)
                keys = cached.candidates(kid, alg)
                if keys and not all(key.thumbprint in useless for key in keys):
                    return keys
        try:
            return await self._demands.wait(source.address, required, kid, alg, useless)
        except UnknownKidError:
            cached = self._key_sets.get(source.address.id)
            if cached is not None and not excluded and (revoked := cached.candidates(kid, alg)):
                return revoked
            raise

    def announced(self, announcement: KeySetFetched) -> None:
        """Handle an announcement: reload a cached key set, and wake the requests that wait for it."""
        cached = self._key_sets.get(announcement.id)
        if cached is not None and cached.record.generation < announcement.generation:
            self._outdated[announcement.id] = None
            self._news.set()
        self._demands.announced(announcement.id)

    async def abandon(self) -> None:
        """Cancel what is in progress."""
        await self._demands.stop()

    def _source(self, realm: RealmProjection, client: KeyOwner) -> _Source:
        """Return the source, cached by object identity: projections are immutable and replaced whole."""
        source = self._sources.get(client.uuid)
        if source is not None and source.client is client and source.realm is realm:
            return source
        address = _address_of(client, realm.jwks_allowed_networks)
        source = _Source(realm, client, address, max(client.keys_not_before, realm.keys_not_before))
        self._sources.pop(client.uuid, None)
        while len(self._sources) >= self._policy.cached:
            self._sources.pop(next(iter(self._sources)))
        self._sources[client.uuid] = source
        return source

    def _touch(self, key_set_id: str, cached: CachedKeySet) -> None:
        elapsed = self._clock.elapsed()
        if elapsed - cached.touched_at >= self._policy.idle / 4:
            cached.touched_at = elapsed
            self._touched[key_set_id] = cached.record.next_poll_at

    async def _tell_uses(self) -> float:
        while self._touched:
            now = self._clock.now()
            batch = dict(list(self._touched.items())[:_TOUCHES_AT_ONCE])
            await self._channel.touch([(one, due - now) for one, due in batch.items()])
            for one in batch:
                self._touched.pop(one, None)
        return _TOUCH_SECONDS

    async def _read_outdated(self) -> float:
        await self._news.wait()
        while self._outdated:
            batch = list(self._outdated)[:_READS_AT_ONCE]
            for key_set_id, record in zip(batch, await self._channel.read(batch), strict=True):
                self._outdated.pop(key_set_id, None)
                if record is not None and key_set_id in self._key_sets:
                    await self._key_sets.admit(key_set_id, record)
                    self._demands.announced(key_set_id)
        self._news.clear()  # only now: ids that could not be read stay for the next round
        return 0.0


def _address_of(owner: KeyOwner, networks: tuple[str, ...]) -> KeySetAddress:
    if isinstance(owner, TrustedIssuer):
        return owner.address(networks)
    return KeySetAddress.of(owner.jwks_url or "", networks)
