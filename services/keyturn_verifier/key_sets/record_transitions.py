"""Transitions of a key set's record at the end of an attempt. Pure: no clock, network or randomness."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.key_sets.record import KeySetRecord, SkippedMember
from keyturn_shared.position import Position
from keyturn_verifier.key_sets.freshness import freshness_lifetime, poll_after, retry_after
from keyturn_verifier.key_sets.policy import KeySetPolicy

MAX_VALIDATOR_CHARACTERS: Final = 512
"""Longer ETags are not stored: the next fetch is then unconditional, at the expense of the server that sent
it."""
MAX_SKIPPED_NAMED: Final = 20
"""A record names this many unused keys and counts the others."""
_MAX_DETAIL_CHARACTERS: Final = 300


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that has begun.

    ``generation``: its id, ms of Redis' clock. ``as_of``: the head of the event log before it began.
    ``began_at``: NumericDate of the fetching node's clock. ``random``: in [0, 1), spreads later attempts.
    """

    generation: int
    as_of: Position
    began_at: float
    random: float


def with_keys(
    record: KeySetRecord, attempt: Attempt, keys: KeySet, headers: Mapping[str, str], policy: KeySetPolicy
) -> KeySetRecord:
    """Return the record after a 200 with usable keys. They replace all earlier keys, so a withdrawn key is
    gone."""
    jwks = tuple(key.public_jwk for key in keys.keys)
    content = hashlib.sha256(msgspec.json.encode(jwks)).hexdigest()[:32]
    changed = content != record.content
    renewed = msgspec.structs.replace(
        record,
        keys=jwks,
        content=content,
        skipped=len(keys.skipped),
        skipped_members=skipped_members(keys),
        etag=_validator(headers, "etag"),
        last_modified=_validator(headers, "last-modified"),
        changed_at=attempt.began_at if changed else record.changed_at,
        since=_since(record, jwks, attempt.began_at),
        as_of=(attempt.as_of.epoch, attempt.as_of.sequence),
    )
    return _succeeded(renewed, attempt, headers, policy)


def skipped_members(keys: KeySet) -> tuple[SkippedMember, ...]:
    """Return the first unused keys of a set, each with its reason."""
    return tuple(
        SkippedMember(skipped.index, skipped.reason.value, skipped.kid)
        for skipped in keys.skipped[:MAX_SKIPPED_NAMED]
    )


def confirmed(
    record: KeySetRecord, attempt: Attempt, headers: Mapping[str, str], policy: KeySetPolicy
) -> KeySetRecord:
    """Return the record after a 304: the keys stay and are fresh again. Their position stays too: a 304
    cannot confirm keys after a cache was cleared, since the server has to send them again then."""
    return _succeeded(record, attempt, headers, policy)


def failed(
    record: KeySetRecord, attempt: Attempt, reason: str, detail: str, policy: KeySetPolicy
) -> KeySetRecord:
    """Return the record after an attempt without a usable key set: the keys and their limits stay as they
    are."""
    failures = record.failures + 1
    return msgspec.structs.replace(
        record,
        generation=attempt.generation,
        attempted_at=attempt.began_at,
        attempts=record.attempts + 1,
        failures=failures,
        failure=reason,
        failure_detail=detail[:_MAX_DETAIL_CHARACTERS],
        next_poll_at=attempt.began_at + retry_after(failures, attempt.random, policy),
    )


def keep_seconds(record: KeySetRecord, now: float, policy: KeySetPolicy) -> float:
    """Return how long Redis keeps the record if nothing rewrites it, in seconds."""
    return max(record.stale_until, record.next_poll_at + policy.idle) - now + policy.idle


def _succeeded(
    record: KeySetRecord, attempt: Attempt, headers: Mapping[str, str], policy: KeySetPolicy
) -> KeySetRecord:
    freshness = freshness_lifetime(headers, attempt.began_at - record.changed_at, policy)
    return msgspec.structs.replace(
        record,
        generation=attempt.generation,
        fetched_at=attempt.began_at,
        fresh_until=attempt.began_at + freshness,
        stale_until=attempt.began_at + freshness + policy.outage,
        attempted_at=attempt.began_at,
        attempts=record.attempts + 1,
        failures=0,
        failure=None,
        failure_detail=None,
        next_poll_at=attempt.began_at + poll_after(freshness, attempt.random),
    )


def _since(record: KeySetRecord, jwks: tuple[dict[str, object], ...], now: float) -> tuple[float, ...]:
    """Return when each key first appeared. A key that was withdrawn and appears again is new."""
    known = {msgspec.json.encode(jwk): since for jwk, since in zip(record.keys, record.since, strict=False)}
    return tuple(known.get(msgspec.json.encode(jwk), now) for jwk in jwks)


def _validator(headers: Mapping[str, str], name: str) -> str | None:
    value = headers.get(name)
    return value if value and len(value) <= MAX_VALIDATOR_CHARACTERS else None
