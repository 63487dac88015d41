"""Lookup of clients' and issuers' keys as a node makes it, without asking a node."""

import asyncio
import math

from keyturn_credentials.authorization.client_keys import ClientKeyFetcher
from keyturn_credentials.queries.fetched_keys import FleetKeySets
from keyturn_shared.clock import Clock
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.jose.algorithms import SIGNATURE_ALGORITHMS
from keyturn_shared.jose.errors import InvalidKeySetError
from keyturn_shared.jose.jwk import Thumbprint
from keyturn_shared.jose.key_set import Candidates, KeySet
from keyturn_shared.key_set_address import KeySetAddress
from keyturn_shared.key_sets.freshness import Freshness, freshness_of
from keyturn_shared.key_sets.record import KeySetRecord, Required
from keyturn_shared.oauth.cached_client import inline_candidates
from keyturn_shared.oauth.key_errors import KeysUnavailableError, UnknownKidError
from keyturn_shared.oauth.trusted_issuers import KeyOwner, TrustedIssuer
from keyturn_shared.projection import RealmProjection

_USABLE = (Freshness.FRESH, Freshness.OUTAGE)


class EvaluationKeys:
    """A ``KeyLookup``: first what the fleet's fetchers stored, by the same freshness as on a node. If that
    has no such key, a client's URL is fetched, as a node would have it fetched; nothing is stored, and what
    was fetched for an earlier evaluation counts only if no fetcher has been there since. An issuer's is not
    fetched: what it publishes is read by fetchers alone."""

    def __init__(self, stored: FleetKeySets, fetcher: ClientKeyFetcher, clock: Clock) -> None:
        self._stored = stored
        self._fetcher = fetcher
        self._clock = clock

    async def find(
        self,
        realm: RealmProjection,
        client: KeyOwner,
        kid: str | Thumbprint | None,
        alg: str,
        *,
        excluded: frozenset[str] = frozenset(),
    ) -> Candidates:
        """Find the keys. Raises UnknownKidError and KeysUnavailableError."""
        if not isinstance(client, TrustedIssuer) and client.jwks_url is None:
            if excluded:
                raise UnknownKidError("the client has only its configured keys")
            return inline_candidates(client, kid, alg)
        if alg not in SIGNATURE_ALGORITHMS:
            raise UnknownKidError(f"a JWK Set has no keys for {alg!r:.40}")
        record = await self._read(_address_of(client, realm))
        freshness = Freshness.UNUSABLE if record is None else self._freshness(record, realm, client)
        stored = await _candidates(record, kid, alg)
        useless = client.revoked_thumbprints | excluded
        is_known = not all(key.thumbprint in useless for key in stored)
        if is_known and freshness in _USABLE:
            return stored
        age = math.inf if record is None else self._clock.now() - record.fetched_at
        try:
            return await self._fetch(realm, client, kid, alg, excluded, age, has_keys=freshness in _USABLE)
        except KeysUnavailableError:
            if is_known and freshness is Freshness.LAPSED:
                return stored
            raise
        except UnknownKidError:
            if stored and not excluded and freshness is not Freshness.UNUSABLE:
                return stored  # the signature check refuses a revoked key, with the true reason
            raise

    async def _read(self, address: KeySetAddress) -> KeySetRecord | None:
        try:
            return await self._stored.record(address)
        except RedisUnavailableError as error:
            raise KeysUnavailableError("Redis does not answer") from error

    async def _fetch(
        self,
        realm: RealmProjection,
        client: KeyOwner,
        kid: str | Thumbprint | None,
        alg: str,
        excluded: frozenset[str],
        age: float,
        *,
        has_keys: bool,
    ) -> Candidates:
        """Look for newer keys than those of the record. ``age``: of these, in seconds."""
        if not isinstance(client, TrustedIssuer):
            return await self._fetcher.find(realm, client, kid, alg, excluded=excluded, newer_than=age)
        if has_keys:
            raise UnknownKidError(f"no key for kid {kid!r:.80} and {alg!r:.40} when a node last fetched them")
        raise KeysUnavailableError("no node has fetched the keys of the identity provider lately")

    def _freshness(self, record: KeySetRecord, realm: RealmProjection, client: KeyOwner) -> Freshness:
        not_before = max(client.keys_not_before, realm.keys_not_before)
        required = Required(record.position.epoch, not_before)
        return freshness_of(record, required, self._clock.now())


def _address_of(owner: KeyOwner, realm: RealmProjection) -> KeySetAddress:
    if isinstance(owner, TrustedIssuer):
        return owner.address(realm.jwks_allowed_networks)
    return KeySetAddress.of(owner.jwks_url or "", realm.jwks_allowed_networks)


async def _candidates(record: KeySetRecord | None, kid: str | Thumbprint | None, alg: str) -> Candidates:
    if record is None:
        return Candidates()
    jwks = {"keys": list(record.keys)}
    try:
        # A set may have a hundred keys, which take too long to read on the event loop.
        keys = await asyncio.to_thread(KeySet.from_members, jwks, max_keys=len(record.keys))
    except InvalidKeySetError:
        return Candidates()
    return keys.candidates(kid, SIGNATURE_ALGORITHMS[alg])
