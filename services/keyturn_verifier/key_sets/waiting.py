"""A request that waits for keys, and the verdict on it as records come in. No I/O."""

import asyncio
from dataclasses import dataclass, field

from keyturn_shared.jose.jwk import Thumbprint, VerificationKey
from keyturn_shared.key_sets.record import KeySetRecord, Required
from keyturn_verifier.key_sets.channel import DemandReply, Need
from keyturn_verifier.key_sets.errors import KeysUnavailableError, UnknownKidError
from keyturn_verifier.key_sets.held import HeldKeySet
from keyturn_verifier.key_sets.policy import KeySetPolicy
from keyturn_verifier.key_sets.standing import Standing, standing_of

Keys = tuple[VerificationKey, ...]
Verdict = Keys | UnknownKidError | KeysUnavailableError


# Compared by identity: two requests with the same kid are two.
@dataclass(slots=True, eq=False)
class Waiter:
    """What a request asks for, until when it waits (elapsed clock), and the verdict once there is one.

    ``asked_at``: ms of Redis' clock at a moment after the request came. A fetch that began later has seen
    everything the client published before it sent the request. None until Redis was asked.
    """

    required: Required
    kid: str | Thumbprint | None
    algorithm: str
    deadline: float
    verdict: asyncio.Future[Verdict]
    asked_at: int | None = None
    besides: frozenset[str] = field(default=frozenset())

    def asked(self, reply: DemandReply) -> None:
        """Redis was asked after the request came. An attempt claimed then begins after it, whatever the
        resolution of clocks; one of somebody else's does if its ms is later."""
        if reply.claim is not None:
            self.asked_at = min(self.asked_at or reply.now, reply.claim.generation - 1)
        elif self.asked_at is None:
            self.asked_at = reply.now

    def need(self, held: HeldKeySet | None, now: float, policy: KeySetPolicy) -> Need:
        """What is lacking in what the node holds."""
        if held is None:
            return "keys"
        standing = standing_of(held.record, self.required, now, policy)
        return "kid" if standing in (Standing.FRESH, Standing.OUTAGE) else "keys"

    def candidates(self, held: HeldKeySet) -> Keys:
        """The keys that fit, unless all of them are known to be of no use."""
        keys = held.candidates(self.kid, self.algorithm)
        return () if all(key.thumbprint in self.besides for key in keys) else keys

    def judge(self, held: HeldKeySet | None, now: float, policy: KeySetPolicy) -> Verdict | None:
        """The verdict, if what the node holds allows one: the keys; or that an attempt which began after the
        request did not bring them."""
        if held is None:
            return None
        record = held.record
        standing = standing_of(record, self.required, now, policy)
        if standing in (Standing.FRESH, Standing.OUTAGE) and (keys := self.candidates(held)):
            return keys
        if self.asked_at is None or record.generation <= self.asked_at:
            return None
        if record.failures:
            return KeysUnavailableError(reason_of(record))
        return self._unknown() if standing is Standing.FRESH else None

    def give_up(self, held: HeldKeySet | None, now: float, policy: KeySetPolicy) -> Verdict:
        """The verdict when no attempt can be waited for: lapsed keys will do, within their bound."""
        if held is None:
            return KeysUnavailableError("the key set has not been fetched yet")
        standing = standing_of(held.record, self.required, now, policy)
        keys = () if standing is Standing.UNUSABLE else self.candidates(held)
        if not keys and (standing is Standing.UNUSABLE or held.record.failures):
            return KeysUnavailableError(reason_of(held.record))
        return keys or self._unknown()

    def can_do_without(self, held: HeldKeySet | None, now: float, policy: KeySetPolicy) -> bool:
        """Whether keys that have lapsed will do at once, since no attempt is allowed now."""
        if held is None or standing_of(held.record, self.required, now, policy) is Standing.UNUSABLE:
            return False
        return bool(self.candidates(held))

    def _unknown(self) -> UnknownKidError:
        return UnknownKidError(f"no key for kid {self.kid!r:.80} and {self.algorithm}")


def reason_of(record: KeySetRecord) -> str:
    """Why a record's keys cannot be used, for logs."""
    if record.failure:
        return f"{record.failure}: {record.failure_detail}"
    return "the key set was fetched before it was last cleared, or too long ago"
