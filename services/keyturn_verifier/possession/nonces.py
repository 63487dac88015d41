"""Nonces for DPoP proofs (RFC 9449 section 8): a proof with one was made just now, whatever its clock says.

Nothing is kept: a nonce is the digest of a period under the fleet keys, so every node knows those of the
others.
"""

from typing import Final

from keyturn_shared.clock import Clock
from keyturn_shared.sealing import KeyRing, SealError
from keyturn_verifier.errors import UseDpopNonceError
from keyturn_verifier.possession.dpop import DpopProof

PERIOD_SECONDS: Final = 120
_CONTEXT: Final = "dpop-nonce"


class Nonces:
    """One nonce a period; that of the period before is still accepted."""

    def __init__(self, ring: KeyRing, clock: Clock) -> None:
        self._ring = ring
        self._clock = clock

    def require(self, proof: DpopProof) -> None:
        """Raise UseDpopNonceError, with the nonce to use, for a proof without one that is accepted now."""
        nonce = proof.claims.get("nonce")
        now = self._period
        if not isinstance(nonce, str) or not (self._is_of(nonce, now) or self._is_of(nonce, now - 1)):
            raise UseDpopNonceError(self._ring.digest(str(now), _CONTEXT))

    @property
    def _period(self) -> int:
        return int(self._clock.now() // PERIOD_SECONDS)

    def _is_of(self, nonce: str, period: int) -> bool:
        try:
            return self._ring.matches(str(period), nonce, _CONTEXT)
        except SealError:
            return False
