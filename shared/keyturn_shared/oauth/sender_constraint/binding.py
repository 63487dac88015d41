"""Binds new access tokens to a key or certificate that the client has proved to hold."""

from keyturn_shared.jose.errors import InvalidKeyError
from keyturn_shared.oauth.certificates.client_certificate import ClientCertificate
from keyturn_shared.oauth.entities import RealmState
from keyturn_shared.oauth.errors import (
    InvalidDpopProofError,
    InvalidRequestError,
    KeyRevokedError,
    UntrustedCertificateError,
)
from keyturn_shared.oauth.sender_constraint.confirmation import CERTIFICATE, DPOP_KEY, Confirmation
from keyturn_shared.oauth.sender_constraint.dpop import DpopCheck, DpopProof
from keyturn_shared.oauth.sender_constraint.nonces import Nonces
from keyturn_shared.projection import ClientProjection


class TokenBinding:
    """Decides what a token is bound to (RFC 8705 section 3, RFC 9449 section 5)."""

    def __init__(self, dpop: DpopCheck, nonces: Nonces | None = None) -> None:
        """``nonces`` None: proofs need no nonce."""
        self._dpop = dpop
        self._nonces = nonces

    def require_nonce(self, realm: RealmState, proof: DpopProof) -> None:
        """Raise UseDpopNonceError for a proof without a required nonce. Call it before anything of the
        request is used up: the client sends the same credentials again with a nonce."""
        if self._nonces is not None:
            self._nonces.require(proof, realm.projection.id)

    async def bind(
        self,
        realm: RealmState,
        client: ClientProjection,
        proof: DpopProof | None,
        certificate: ClientCertificate | None,
    ) -> Confirmation:
        """Return the ``cnf`` of a new token.

        A client may bind a token with a proof even if its configuration does not require it. Its certificate
        is used only if required, since a proxy in front of the client may present one without the client's
        doing.

        Raises InvalidDpopProofError, InvalidRequestError, KeyRevokedError, UntrustedCertificateError, and
        errors of ``DpopCheck.mark_used``.
        """
        confirmation = {}
        if client.mtls_bound_tokens:
            if certificate is None:
                raise InvalidRequestError(
                    "This client's tokens are bound to a certificate, but none was presented"
                )
            _require_unrevoked(certificate, client)
            confirmation[CERTIFICATE] = certificate.thumbprint
        if proof is not None:
            self._dpop.check(proof, method="POST", urls=realm.token_urls)
            await self._dpop.mark_used(proof)
            confirmation[DPOP_KEY] = proof.thumbprint
        elif client.dpop_bound_tokens:
            raise InvalidDpopProofError("This client's tokens are bound to a key: a DPoP proof is required")
        return confirmation


def _require_unrevoked(certificate: ClientCertificate, client: ClientProjection) -> None:
    try:
        thumbprint = certificate.key.thumbprint
    except InvalidKeyError as error:
        raise UntrustedCertificateError(error.detail) from None
    if thumbprint in client.revoked_thumbprints:
        raise KeyRevokedError(thumbprint)
