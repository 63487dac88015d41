"""Inspection of key sets, for the console, the command line and troubleshooting."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from redis.asyncio import Redis, RedisCluster

from keyturn_shared.jose.errors import InvalidKeyError
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.key_set_address import KeySetAddress
from keyturn_shared.key_sets.layout import KeySetLayout
from keyturn_shared.key_sets.record import KeySetRecord, KeySetRecordError, decode_record
from keyturn_shared.key_sets.seal import KeySetSeal
from keyturn_shared.redis_failures import redis_answers
from keyturn_shared.signed_log.errors import ForgedError


@dataclass(frozen=True, slots=True)
class FetchedKey:
    """A key in use. ``thumbprint``: RFC 7638, SHA-256. ``since``: NumericDate of the first fetch that had
    it."""

    kid: str
    thumbprint: str
    kty: str
    alg: str | None
    use: str | None
    crv: str | None = None
    bits: int | None = None
    since: float | None = None


@dataclass(frozen=True, slots=True)
class SkippedKeyReason:
    """An unused key. ``index``: its place in the set; ``reason``: a ``KeyRefusal``."""

    index: int
    kid: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class KeySetHealth:
    """The fleet's knowledge of one JWKS URL. Times are NumericDate seconds, None for never.

    ``keys``: those of the last success, used until ``fresh_until``, and until ``stale_until`` only while the
    URL fails. ``skipped``: number of keys in the set that keyturn does not use; ``skipped_keys``: the first
    of them, with the reason. ``polled``: clients used it recently, so it is fetched again at ``next_poll``.
    ``failures``: in a row, with the reason of the last one.
    """

    url: str
    networks: tuple[str, ...]
    keys: tuple[FetchedKey, ...]
    skipped: int
    skipped_keys: tuple[SkippedKeyReason, ...]
    last_success: float | None
    last_change: float | None
    fresh_until: float | None
    stale_until: float | None
    last_attempt: float | None
    attempts: int
    failures: int
    failure: str | None
    failure_detail: str | None
    polled: bool
    next_poll: float | None

    def age(self, now: float) -> float | None:
        """Return the seconds since the keys were last confirmed."""
        return None if self.last_success is None else max(0.0, now - self.last_success)

    def thumbprints_in_use(self, now: float) -> frozenset[str] | None:
        """Return the thumbprints of the keys that nodes use: none once the URL has failed for too long. None
        if it was not fetched yet."""
        if self.failures and (self.stale_until is None or now >= self.stale_until):
            return frozenset()
        return frozenset(key.thumbprint for key in self.keys) or None


class KeySetInspector:
    """Reads records, and changes nothing. Every method raises RedisUnavailableError. ``seal``: records that
    no fetcher signed are ignored, as on verifiers. Without it, nothing is checked."""

    def __init__(
        self, redis: Redis | RedisCluster, seal: KeySetSeal | None, layout: KeySetLayout | None = None
    ) -> None:
        self._redis = redis
        self._seal = seal
        self._layout = layout or KeySetLayout()

    async def inspect(self, address: KeySetAddress) -> KeySetHealth | None:
        """Inspect a URL as seen by clients of a realm with these networks; None if unused recently."""
        return (await self.inspect_all([address]))[0]

    async def inspect_all(self, addresses: Sequence[KeySetAddress]) -> list[KeySetHealth | None]:
        """Inspect several addresses, in order."""
        return await self._healths([address.id for address in addresses])

    async def record(self, address: KeySetAddress) -> KeySetRecord | None:
        """Return the record of an address; None if unused recently."""
        with redis_answers("key set record"):
            value = await self._redis.get(self._layout.record(address.id))
        return self._read(address.id, value)

    async def _healths(self, ids: Sequence[str]) -> list[KeySetHealth | None]:
        if not ids:
            return []
        with redis_answers("key set records"):
            values = await self._redis.mget([self._layout.record(one) for one in ids])
            used = await self._redis.hmget(self._layout.used, list(ids))
        return [
            self._health(one, value, polled=mark is not None)
            for one, value, mark in zip(ids, values, used, strict=True)
        ]

    def _health(self, key_set_id: str, value: Any, *, polled: bool) -> KeySetHealth | None:
        record = self._read(key_set_id, value)
        return None if record is None else health_of(record, polled=polled)

    def _read(self, key_set_id: str, value: Any) -> KeySetRecord | None:
        if value is None:
            return None
        try:
            if self._seal is None:
                return decode_record(value)
            return self._seal.read_request(key_set_id, bytes(value))
        except (KeySetRecordError, ForgedError):
            return None


def health_of(record: KeySetRecord, *, polled: bool) -> KeySetHealth:
    """Convert a record to its health."""
    return KeySetHealth(
        url=record.url,
        networks=record.networks,
        keys=tuple(_described(jwk, since) for jwk, since in zip_longest(record.keys, record.since)),
        skipped=record.skipped,
        skipped_keys=tuple(
            SkippedKeyReason(each.index, each.kid, each.reason) for each in record.skipped_members
        ),
        last_success=record.fetched_at or None,
        last_change=record.changed_at or None,
        fresh_until=record.fresh_until or None,
        stale_until=record.stale_until or None,
        last_attempt=record.attempted_at or None,
        attempts=record.attempts,
        failures=record.failures,
        failure=record.failure,
        failure_detail=record.failure_detail,
        polled=polled,
        next_poll=record.next_poll_at or None if polled else None,
    )


def _described(jwk: dict[str, object], since: float | None) -> FetchedKey:
    try:
        key = VerificationKey.from_jwk(jwk)
    except InvalidKeyError as error:  # a later version may know key types that this one does not
        return FetchedKey(str(jwk.get("kid")), "", error.reason.value, None, None)
    return FetchedKey(key.kid, key.thumbprint, key.kty, key.alg, key.use, key.crv, key.bits, since)
