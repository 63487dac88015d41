"""DPoP proofs (RFC 9449 section 4): parsed strictly, checked, and accepted once in the fleet."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from keyturn_shared.clock import Clock
from keyturn_shared.fleet.replay import AssertionUse
from keyturn_shared.jose import base64url
from keyturn_shared.jose.errors import JoseError
from keyturn_shared.jose.self_signed import read_self_signed
from keyturn_shared.oauth.errors import InvalidDpopProofError, ReplayedError
from keyturn_shared.oauth.ports import UsedAssertions
from keyturn_shared.oauth.sender_constraint.htu import normalised_target

PROOF_TYPE: Final = "dpop+jwt"
MAX_PROOF_BYTES: Final = 8 * 1024
LIFETIME_SECONDS: Final = 60
"""Maximum age of a proof."""


@dataclass(slots=True)
class DpopProof:
    """A proof with a valid signature under the key in it. ``thumbprint``: of that key (``jkt``). ``claimed``:
    this very request has marked its ``jti`` as used."""

    thumbprint: str
    claims: Mapping[str, Any]
    claimed: bool = False


def read_dpop_proof(text: str) -> DpopProof:
    """Parse the proof in a ``DPoP`` header. Raises InvalidDpopProofError."""
    try:
        # It proves only that the key's holder sent the request; everything else is bound to its thumbprint.
        proof = read_self_signed(text, typ=PROOF_TYPE, max_bytes=MAX_PROOF_BYTES)
    except JoseError as error:
        raise InvalidDpopProofError(f"{error.code}: {error.detail}") from None
    return DpopProof(proof.key.thumbprint, proof.claims)


class DpopCheck:
    """Checks that a proof matches its request, and lets each proof be used once."""

    def __init__(self, used_assertions: UsedAssertions, clock: Clock, *, clock_skew: float) -> None:
        self._used_assertions = used_assertions
        self._clock = clock
        self._clock_skew = clock_skew

    def check(
        self, proof: DpopProof, *, method: str, urls: Iterable[str], access_token: str | None = None
    ) -> None:
        """Raise InvalidDpopProofError unless the proof is for this request (RFC 9449 section 4.3). ``urls``:
        those the proof may name. ``access_token``: the token sent with it, if any."""
        claims = proof.claims
        if not claims.get("jti"):
            raise InvalidDpopProofError("no jti")
        if claims.get("htm") != method:
            raise InvalidDpopProofError("htm is not the method of this request")
        target = claims.get("htu")
        named = normalised_target(target) if isinstance(target, str) else None
        if named is None or named not in {normalised_target(url) for url in urls}:
            raise InvalidDpopProofError("htu is not the URL of this request")
        self._check_time(claims)
        if access_token is not None:
            digest = hashlib.sha256(access_token.encode("ascii", "replace")).digest()
            if claims.get("ath") != base64url.encode_text(digest):
                raise InvalidDpopProofError("ath is not the hash of this access token")

    async def mark_used(self, proof: DpopProof) -> None:
        """Mark the proof as used. Raises InvalidDpopProofError if it was, BeforeReplayBarrierError and
        RedisUnavailableError."""
        if proof.claimed:
            return
        issued_at = proof.claims["iat"]
        remember = issued_at + LIFETIME_SECONDS + self._clock_skew - self._clock.now()
        try:
            await self._used_assertions.mark_used(
                AssertionUse((f"dpop:{proof.thumbprint}",), proof.claims["jti"], remember, issued_at)
            )
        except ReplayedError:
            raise InvalidDpopProofError("jti was used before") from None
        proof.claimed = True

    def _check_time(self, claims: Mapping[str, Any]) -> None:
        now, issued_at = self._clock.now(), claims.get("iat")
        if issued_at is None:
            raise InvalidDpopProofError("no iat")
        if issued_at > now + self._clock_skew:
            raise InvalidDpopProofError(f"iat is {issued_at - now:.0f} s in the future")
        if now >= issued_at + LIFETIME_SECONDS + self._clock_skew:
            raise InvalidDpopProofError(f"issued {now - issued_at:.0f} s ago")
