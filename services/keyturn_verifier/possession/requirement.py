"""Asks whoever brings a bound token to show what it is bound to."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from keyturn_verifier.certificates.client_certificate import ClientCertificate
from keyturn_verifier.errors import InvalidDpopProofError, PossessionError
from keyturn_verifier.possession.confirmation import CERTIFICATE, DPOP_KEY, confirmation_of
from keyturn_verifier.possession.dpop import DpopCheck, DpopProof, read_dpop_proof


@dataclass(slots=True)
class PresentedToken:
    """An access token as a request brings it (RFC 6750 section 2.1, RFC 9449 section 7.1).

    ``by_dpop``: under the DPoP scheme, not as a bearer token. ``proof``: the ``DPoP`` header, if any.
    ``certificate``: reads the one of the connection. ``method`` and ``url``: of the request it authorises.
    """

    token: str
    by_dpop: bool
    proof: str | None
    certificate: Callable[[], ClientCertificate | None]
    method: str
    _read: DpopProof | None = None

    def read_proof(self) -> DpopProof:
        """Raises InvalidDpopProofError."""
        if self._read is None:
            if self.proof is None:
                raise InvalidDpopProofError("no DPoP proof came with the token")
            self._read = read_dpop_proof(self.proof)
        return self._read


class PossessionCheck:
    """Holds a request to the ``cnf`` of the token it brings."""

    def __init__(self, dpop: DpopCheck) -> None:
        self._dpop = dpop

    async def require(
        self, claims: Mapping[str, Any], presented: PresentedToken, urls: Iterable[str]
    ) -> None:
        """Raise PossessionError or InvalidDpopProofError unless the request shows everything that its token
        is bound to. ``urls``: those the request may be known by."""
        confirmation = confirmation_of(claims)
        if (bound := confirmation.get(CERTIFICATE)) is not None:
            certificate = presented.certificate()
            if certificate is None or certificate.thumbprint != bound:
                raise PossessionError("no certificate" if certificate is None else "another certificate")
        key = confirmation.get(DPOP_KEY)
        if key is None:
            if presented.by_dpop:  # RFC 9449 section 7.1: the token has to be one that is bound
                raise PossessionError("the DPoP scheme with a token that is not bound to a key")
            return
        if not presented.by_dpop:  # RFC 9449 section 7.2: a bound token is no bearer token
            raise PossessionError("a token that is bound to a key, as a bearer token")
        proof = presented.read_proof()
        if proof.thumbprint != key:
            raise PossessionError("a proof by another key")
        self._dpop.check(proof, method=presented.method, urls=urls, access_token=presented.token)
        await self._dpop.claim(proof)
