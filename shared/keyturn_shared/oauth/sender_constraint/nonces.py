"""Nonces for DPoP proofs (RFC 9449 section 8): they prove that a proof is recent, whatever its sender's clock
says.

Nothing is stored: a nonce is the digest of a period under the realm's keys, so every node that serves the
realm accepts the nonces of the others.
"""

from typing import Final

from keyturn_shared.clock import Clock
from keyturn_shared.oauth.errors import UseDpopNonceError
from keyturn_shared.oauth.sender_constraint.dpop import DpopProof
from keyturn_shared.realm_rings import RealmRings
from keyturn_shared.sealing import KeyRing, SealError

PERIOD_SECONDS: Final = 120
_CONTEXT: Final = "dpop-nonce"


class Nonces:
    """One nonce per period; the previous period's is still accepted."""

    def __init__(self, rings: RealmRings, clock: Clock) -> None:
        self._rings = rings
        self._clock = clock

    def require(self, proof: DpopProof, realm_id: str) -> None:
        """Raise UseDpopNonceError, with the nonce to use, unless the proof has one that the realm accepts
        now. Raises SealError for a realm whose keys are missing here."""
        ring = self._rings.require(realm_id)
        nonce = proof.claims.get("nonce")
        now = self._period
        if not isinstance(nonce, str) or not any(_is_of(nonce, each, ring) for each in (now, now - 1)):
            raise UseDpopNonceError(ring.digest(str(now), _CONTEXT))

    @property
    def _period(self) -> int:
        return int(self._clock.now() // PERIOD_SECONDS)


def _is_of(nonce: str, period: int, ring: KeyRing) -> bool:
    try:
        return ring.matches(str(period), nonce, _CONTEXT)
    except SealError:
        return False
