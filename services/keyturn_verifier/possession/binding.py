"""Binds access tokens, when they are issued, to what the client has shown to hold."""

from keyturn_shared.jose.errors import InvalidKeyError
from keyturn_shared.projection import ClientProjection
from keyturn_verifier.certificates.client_certificate import ClientCertificate
from keyturn_verifier.errors import (
    InvalidDpopProofError,
    InvalidRequestError,
    KeyRevokedError,
    UntrustedCertificateError,
)
from keyturn_verifier.node.states import RealmState
from keyturn_verifier.possession.confirmation import CERTIFICATE, DPOP_KEY, Confirmation
from keyturn_verifier.possession.dpop import DpopCheck, DpopProof, read_dpop_proof
from keyturn_verifier.possession.nonces import Nonces


class TokenBinding:
    """Decides what a token is bound to (RFC 8705 section 3, RFC 9449 section 5)."""

    def __init__(self, dpop: DpopCheck, nonces: Nonces | None = None) -> None:
        """``nonces`` None: proofs need none."""
        self._dpop = dpop
        self._nonces = nonces

    def read(self, header: str) -> DpopProof:
        """The proof in a ``DPoP`` header, before anything of the request is used up: whoever is told to use
        another nonce sends the same credentials again.

        Raises InvalidDpopProofError and UseDpopNonceError.
        """
        proof = read_dpop_proof(header)
        if self._nonces is not None:
            self._nonces.require(proof)
        return proof

    async def bind(
        self,
        realm: RealmState,
        client: ClientProjection,
        proof: DpopProof | None,
        certificate: ClientCertificate | None,
    ) -> Confirmation:
        """Raises InvalidDpopProofError, InvalidRequestError, KeyRevokedError, UntrustedCertificateError, and
        what claiming a proof raises.

        A client that is not told to bind its tokens may still have one bound by a proof it brings; by its
        certificate only if it is told to, since whoever ends TLS for it may show one without its doing.
        """
        confirmation = {}
        if client.mtls_bound_tokens:
            if certificate is None:
                raise InvalidRequestError(
                    "This client's tokens are bound to a certificate: none was presented"
                )
            _require_unrevoked(certificate, client)
            confirmation[CERTIFICATE] = certificate.thumbprint
        if proof is not None:
            self._dpop.check(proof, method="POST", urls=realm.token_urls)
            await self._dpop.claim(proof)
            confirmation[DPOP_KEY] = proof.thumbprint
        elif client.dpop_bound_tokens:
            raise InvalidDpopProofError("This client's tokens are bound to a key: a DPoP proof is needed")
        return confirmation


def _require_unrevoked(certificate: ClientCertificate, client: ClientProjection) -> None:
    try:
        thumbprint = certificate.key.thumbprint
    except InvalidKeyError as error:
        raise UntrustedCertificateError(error.detail) from None
    if thumbprint in client.revoked_thumbprints:
        raise KeyRevokedError(thumbprint)
