"""Clients' keys at JWKS URLs, fetched by this service itself: those of administrators, and for evaluations.

The fleet's key sets in Redis are not used here, because nodes can write them.
"""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Final

import structlog

from keyturn_shared.clock import Clock
from keyturn_shared.jose.algorithms import SIGNATURE_ALGORITHMS
from keyturn_shared.jose.errors import InvalidKeySetError, UnknownKidError
from keyturn_shared.jose.jwk import Thumbprint
from keyturn_shared.jose.key_set import Candidates, KeySet
from keyturn_shared.key_set_address import KeySetAddress, host_of
from keyturn_shared.network.addresses import Network
from keyturn_shared.network.fetcher import FetchPolicy, GuardedFetcher
from keyturn_shared.network.refusal import FetchRefused
from keyturn_shared.oauth.cached_client import inline_candidates
from keyturn_shared.oauth.key_errors import KeysUnavailableError
from keyturn_shared.oauth.trusted_issuers import KeyOwner, TrustedIssuer
from keyturn_shared.projection import RealmProjection
from keyturn_shared.runtime.admission import leave_place

FRESH_SECONDS: Final = 60.0
LEAST_INTERVAL: Final = 10.0
"""Seconds between two attempts at one URL, whatever callers send."""
MAX_KEPT: Final = 1000
MAX_CONCURRENT: Final = 8
MAX_CONCURRENT_OF_REALM: Final = 2
MAX_WAITING: Final = 64
MAX_WAITING_OF_REALM: Final = 16

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Kept:
    """The last attempts at one address. ``not_before``: the log's sequence when the attempt that got ``keys``
    began; times are of a monotonic clock."""

    keys: KeySet | None = None
    not_before: int = -1
    fetched_at: float = 0.0
    attempted_at: float | None = None
    attempted_for: int = -1
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class _Share:
    """One realm's share of concurrent fetches, so that hanging URLs do not block other realms."""

    waiting: int = 0
    at_once: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_CONCURRENT_OF_REALM))


class ClientKeyFetcher:
    """A ``KeyLookup``. ``networks``: private ones that the URLs of every realm may reach."""

    def __init__(
        self,
        fetcher: GuardedFetcher,
        networks: Iterable[Network],
        clock: Clock,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._fetcher = fetcher
        self._networks = tuple(networks)
        self._clock = clock
        self._sleep = sleep
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._at_once = asyncio.Semaphore(MAX_CONCURRENT)
        self._shares: dict[str, _Share] = {}

    async def find(
        self,
        realm: RealmProjection,
        client: KeyOwner,
        kid: str | Thumbprint | None,
        alg: str,
        *,
        excluded: frozenset[str] = frozenset(),
        newer_than: float | None = None,
    ) -> Candidates:
        """Find the keys. ``newer_than``: seconds; keys that were fetched longer ago do not count, and the
        next fetch that is allowed is waited for, as on a node. Raises UnknownKidError and
        KeysUnavailableError."""
        if isinstance(client, TrustedIssuer):
            raise UnknownKidError("clients alone have keys that are fetched here")
        if client.jwks_url is None:
            if excluded:
                raise UnknownKidError("the client has only its configured keys")
            return inline_candidates(client, kid, alg)
        algorithm = SIGNATURE_ALGORITHMS.get(alg)
        if algorithm is None:
            raise UnknownKidError(f"a JWK Set has no keys for {alg!r:.40}")
        address = KeySetAddress.of(client.jwks_url, realm.jwks_allowed_networks)
        required = max(client.keys_not_before, realm.keys_not_before)
        kept = self._of(address)
        useless = client.revoked_thumbprints | excluded
        called_at = self._clock.elapsed()
        since = -math.inf if newer_than is None else called_at - max(0.0, newer_than)

        def usable() -> Candidates:
            if kept.keys is None or not self._is_fresh(kept, required, since):
                return Candidates()
            keys = kept.keys.candidates(kid, algorithm)
            return Candidates() if all(key.thumbprint in useless for key in keys) else keys

        if not (keys := usable()):
            leave_place()
            with self._share_of(realm.id) as share:
                async with kept.turn:
                    if not (keys := usable()):
                        if newer_than is not None:
                            await self._wait_for_turn(kept, required, called_at)
                        await self._fetch(kept, address, required, share)
                        keys = usable()
        if keys:
            return keys
        if kept.keys is None or not self._is_fresh(kept, required, since):
            raise KeysUnavailableError("the client's key set cannot be fetched")
        revoked = kept.keys.candidates(kid, algorithm)
        if revoked and not excluded:
            return revoked  # the signature check refuses it, with the true reason
        raise UnknownKidError(f"no key for kid {kid!r:.80} and {alg!r:.40}")

    def _of(self, address: KeySetAddress) -> _Kept:
        kept = self._kept.setdefault(address.id, _Kept())
        self._kept.move_to_end(address.id)
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        return kept

    def _is_fresh(self, kept: _Kept, required: int, since: float) -> bool:
        is_recent = self._clock.elapsed() - kept.fetched_at < FRESH_SECONDS
        return kept.not_before >= required and is_recent and kept.fetched_at >= since

    async def _wait_for_turn(self, kept: _Kept, required: int, called_at: float) -> None:
        """Wait until the URL may be fetched, unless it was fetched since the call: callers share a fetch."""
        attempted = kept.attempted_at
        if attempted is None or attempted > called_at or kept.attempted_for < required:
            return
        pause = attempted + LEAST_INTERVAL - self._clock.elapsed()
        if pause > 0:
            await self._sleep(pause)

    async def _fetch(self, kept: _Kept, address: KeySetAddress, required: int, share: _Share) -> None:
        """Fetch once, unless the last attempt was recent and is new enough."""
        now = self._clock.elapsed()
        tried = kept.attempted_at is not None and now - kept.attempted_at < LEAST_INTERVAL
        if tried and kept.attempted_for >= required:
            return
        kept.attempted_at, kept.attempted_for = now, required
        networks = (*self._networks, *map(ip_network, address.networks))
        try:
            async with share.at_once, self._at_once:
                result = await self._fetcher.fetch(address.url, policy=FetchPolicy(allowed_networks=networks))
            keys = KeySet.from_json(result.body)
        except (FetchRefused, InvalidKeySetError) as error:
            _log.warning("client_keys_not_fetched", host=host_of(address.url), error=error.detail[:200])
            return
        kept.keys, kept.fetched_at, kept.not_before = keys, now, required

    @contextmanager
    def _share_of(self, realm_id: str) -> Iterator[_Share]:
        share = self._shares.setdefault(realm_id, _Share())
        waiting = sum(each.waiting for each in self._shares.values())
        try:
            if waiting >= MAX_WAITING or share.waiting >= MAX_WAITING_OF_REALM:
                raise KeysUnavailableError("too many requests are waiting for key sets")
            share.waiting += 1
            try:
                yield share
            finally:
                share.waiting -= 1
        finally:
            if share.waiting == 0:
                self._shares.pop(realm_id, None)
