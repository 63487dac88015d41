"""Requires proof of possession for bound tokens."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from keyturn_shared.oauth.certificates.client_certificate import ClientCertificate
from keyturn_shared.oauth.errors import InvalidDpopProofError, PossessionError
from keyturn_shared.oauth.sender_constraint.confirmation import CERTIFICATE, DPOP_KEY, confirmation_of
from keyturn_shared.oauth.sender_constraint.dpop import DpopCheck, DpopProof, read_dpop_proof


@dataclass(slots=True)
class PresentedToken:
    """An access token of a request (RFC 6750 section 2.1, RFC 9449 section 7.1).

    ``by_dpop``: sent under the DPoP scheme and not as a bearer token. ``proof``: the ``DPoP`` header, if any.
    ``certificate``: returns the one of the connection. ``method``: of the request that the token authorises.
    """

    token: str
    by_dpop: bool
    proof: str | None
    certificate: Callable[[], ClientCertificate | None]
    method: str
    _read: DpopProof | None = None

    def read_proof(self) -> DpopProof:
        """Parse the proof. Raises InvalidDpopProofError."""
        if self._read is None:
            if self.proof is None:
                raise InvalidDpopProofError("the token came without a DPoP proof")
            self._read = read_dpop_proof(self.proof)
        return self._read


class PossessionCheck:
    """Checks a request against the ``cnf`` of its token."""

    def __init__(self, dpop: DpopCheck) -> None:
        self._dpop = dpop

    async def require(
        self, claims: Mapping[str, Any], presented: PresentedToken, urls: Iterable[str]
    ) -> None:
        """Raise PossessionError or InvalidDpopProofError unless the request proves everything its token is
        bound to. ``urls``: those that a proof may name."""
        confirmation = confirmation_of(claims)
        if (bound := confirmation.get(CERTIFICATE)) is not None:
            certificate = presented.certificate()
            if certificate is None or certificate.thumbprint != bound:
                raise PossessionError("no certificate" if certificate is None else "another certificate")
        key = confirmation.get(DPOP_KEY)
        if key is None:
            if presented.by_dpop:  # RFC 9449 section 7.1: the token must be a bound one
                raise PossessionError("the DPoP scheme was used with a token that is not bound to a key")
            return
        if not presented.by_dpop:  # RFC 9449 section 7.2: a bound token is no bearer token
            raise PossessionError("a token bound to a key was sent as a bearer token")
        proof = presented.read_proof()
        if proof.thumbprint != key:
            raise PossessionError("a proof signed with another key")
        self._dpop.check(proof, method=presented.method, urls=urls, access_token=presented.token)
        await self._dpop.mark_used(proof)
