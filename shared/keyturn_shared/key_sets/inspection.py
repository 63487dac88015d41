"""Looking at key sets: for the console, the command line and whoever has to find out what is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from redis.asyncio import Redis, RedisCluster
from redis.exceptions import RedisError

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.replies import as_text
from keyturn_shared.jose.errors import InvalidKeyError
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.key_sets.address import KeySetAddress
from keyturn_shared.key_sets.layout import KeySetLayout
from keyturn_shared.key_sets.record import KeySetRecord, KeySetRecordError, decode_record


@dataclass(frozen=True, slots=True)
class FetchedKey:
    """A key in use. ``thumbprint``: RFC 7638, SHA-256. ``since``: when a fetch first brought it, NumericDate
    seconds."""

    kid: str
    thumbprint: str
    kty: str
    alg: str | None
    use: str | None
    crv: str | None = None
    bits: int | None = None
    since: float | None = None


@dataclass(frozen=True, slots=True)
class KeySetHealth:
    """What the fleet knows of one JWKS URL. Times are NumericDate seconds, None for never.

    ``keys``: of the last success at ``last_success``; used while it is earlier than ``fresh_until``, and up
    to ``stale_until`` only while the URL fails. ``skipped``: keys of the set that keyturn does not use.
    ``polled``: whether clients used it lately, so that it is fetched again at ``next_poll``. ``failures``: in
    a row, with the reason of the last one.
    """

    url: str
    networks: tuple[str, ...]
    keys: tuple[FetchedKey, ...]
    skipped: int
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
        """Seconds since the keys were last confirmed."""
        return None if self.last_success is None else max(0.0, now - self.last_success)


class KeySetInspector:
    """Reads records, and changes nothing. Every method raises RedisUnavailableError."""

    def __init__(self, redis: Redis | RedisCluster, layout: KeySetLayout | None = None) -> None:
        self._redis = redis
        self._layout = layout or KeySetLayout()

    async def inspect(self, address: KeySetAddress) -> KeySetHealth | None:
        """One URL as clients of a realm with these networks see it; None if it was not needed lately."""
        return (await self.inspect_all([address]))[0]

    async def inspect_all(self, addresses: Sequence[KeySetAddress]) -> list[KeySetHealth | None]:
        """Several, in order."""
        return await self._healths([address.id for address in addresses])

    async def failing(self, limit: int = 100) -> list[KeySetHealth]:
        """Key sets whose last attempt failed, those to be tried next first."""
        try:
            ids = await self._redis.zrange(self._layout.retries, 0, max(0, limit - 1))
        except (RedisError, OSError, TimeoutError) as error:
            raise RedisUnavailableError(f"failing key sets: {error}") from error
        healths = await self._healths([as_text(one) for one in ids])
        return [health for health in healths if health is not None]

    async def _healths(self, ids: Sequence[str]) -> list[KeySetHealth | None]:
        if not ids:
            return []
        try:
            values = await self._redis.mget([self._layout.record(one) for one in ids])
            used = await self._redis.hmget(self._layout.used, list(ids))
        except (RedisError, OSError, TimeoutError) as error:
            raise RedisUnavailableError(f"key set records: {error}") from error
        return [_health(value, polled=mark is not None) for value, mark in zip(values, used, strict=True)]


def _health(value: Any, *, polled: bool) -> KeySetHealth | None:
    if value is None:
        return None
    try:
        record = decode_record(value)
    except KeySetRecordError:
        return None
    return health_of(record, polled=polled)


def health_of(record: KeySetRecord, *, polled: bool) -> KeySetHealth:
    """A record as people want to see it."""
    return KeySetHealth(
        url=record.url,
        networks=record.networks,
        keys=tuple(_described(jwk, since) for jwk, since in zip_longest(record.keys, record.since)),
        skipped=record.skipped,
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
