"""A request that waits for keys, and its verdict as records come in. No I/O."""

import asyncio
from dataclasses import dataclass, field

from keyturn_shared.jose.jwk import Thumbprint
from keyturn_shared.jose.key_set import Candidates
from keyturn_shared.key_sets.freshness import Freshness, freshness_of
from keyturn_shared.key_sets.record import KeySetRecord, Required
from keyturn_shared.oauth.key_errors import KeysUnavailableError, UnknownKidError
from keyturn_verifier.key_sets.cache import CachedKeySet
from keyturn_verifier.key_sets.policy import KeySetPolicy
from keyturn_verifier.key_sets.redis_repository import DemandReply, Need

Verdict = Candidates | UnknownKidError | KeysUnavailableError


# Compared by identity: two requests with the same kid are different requests.
@dataclass(slots=True, eq=False)
class Waiter:
    """A waiting request, its deadline (elapsed clock), and its verdict once there is one.

    ``asked_at``: a time after the request came, in ms of Redis' clock. A fetch that began later has seen
    everything the client published before it sent the request. None until Redis was asked.
    """

    required: Required
    kid: str | Thumbprint | None
    algorithm: str
    deadline: float
    verdict: asyncio.Future[Verdict]
    asked_at: int | None = None
    excluded: frozenset[str] = field(default=frozenset())

    def asked(self, reply: DemandReply) -> None:
        """Note that Redis was asked after the request came. An attempt of our own begins after it, whatever
        the resolution of clocks; one by another worker does if its time in ms is later."""
        if reply.lease is not None:
            self.asked_at = min(self.asked_at or reply.now, reply.lease.generation - 1)
        elif self.asked_at is None:
            self.asked_at = reply.now

    def need(self, cached: CachedKeySet | None, now: float, policy: KeySetPolicy) -> Need:
        """Return what the cached key set lacks."""
        if cached is None:
            return "keys"
        freshness = freshness_of(cached.record, self.required, now, lease=policy.lease)
        return "kid" if freshness in (Freshness.FRESH, Freshness.OUTAGE) else "keys"

    def candidates(self, cached: CachedKeySet) -> Candidates:
        """Return the matching keys, or none if all of them have already failed."""
        keys = cached.candidates(self.kid, self.algorithm)
        return Candidates() if all(key.thumbprint in self.excluded for key in keys) else keys

    def evaluate(self, cached: CachedKeySet | None, now: float, policy: KeySetPolicy) -> Verdict | None:
        """Return the verdict if the cached key set allows one: the keys, or an error if an attempt that began
        after the request did not bring them."""
        if cached is None:
            return None
        record = cached.record
        freshness = freshness_of(record, self.required, now, lease=policy.lease)
        if freshness in (Freshness.FRESH, Freshness.OUTAGE) and (keys := self.candidates(cached)):
            return keys
        if self.asked_at is None or record.generation <= self.asked_at:
            return None
        if record.failures:
            return KeysUnavailableError(reason_of(record))
        return self._unknown() if freshness is Freshness.FRESH else None

    def give_up(self, cached: CachedKeySet | None, now: float, policy: KeySetPolicy) -> Verdict:
        """Return the verdict when no attempt can be waited for: lapsed keys are used, within their limit."""
        if cached is None:
            return KeysUnavailableError("the key set has not been fetched yet")
        freshness = freshness_of(cached.record, self.required, now, lease=policy.lease)
        keys = Candidates() if freshness is Freshness.UNUSABLE else self.candidates(cached)
        if not keys and (freshness is Freshness.UNUSABLE or cached.record.failures):
            return KeysUnavailableError(reason_of(cached.record))
        return keys or self._unknown()

    def can_do_without(self, cached: CachedKeySet | None, now: float, policy: KeySetPolicy) -> bool:
        """Return whether lapsed keys can be used at once, because no attempt is allowed now."""
        if (
            cached is None
            or freshness_of(cached.record, self.required, now, lease=policy.lease) is Freshness.UNUSABLE
        ):
            return False
        return bool(self.candidates(cached))

    def _unknown(self) -> UnknownKidError:
        return UnknownKidError(f"no key for kid {self.kid!r:.80} and {self.algorithm}")


def reason_of(record: KeySetRecord) -> str:
    """Return the reason why a record's keys cannot be used, for logs."""
    if record.failure:
        return f"{record.failure}: {record.failure_detail}"
    return "the key set is too old, or was fetched before the cache was cleared"
