"""Where a request's client certificate comes from: TLS of this server, or a proxy that is trusted with it."""

from typing import Final

from keyturn_shared.network.known_networks import membership
from keyturn_verifier.certificates.client_certificate import ClientCertificate, read_client_certificate
from keyturn_verifier.certificates.headers import (
    CertificateHeader,
    read_byte_sequence,
    read_byte_sequences,
    read_escaped_pem,
)
from keyturn_verifier.web.exchange import Request

_CHAIN: Final = b"client-cert-chain"


class CertificateSource:
    """Finds the certificate of the one who sent a request."""

    def __init__(self, header: CertificateHeader) -> None:
        self._header = header
        self._is_proxy = membership(header.proxies)

    def of(self, request: Request) -> ClientCertificate | None:
        """None when there is none, or it is said by somebody who is not trusted with it.

        A proxy's own certificate is not its callers'. Raises MalformedCertificateError, and
        InvalidRequestError when the header is there twice.
        """
        if self._is_proxy(request.address):
            return self._in_header(request)
        if request.certificate is None:
            return None
        return read_client_certificate(request.certificate, chain_checked=True)

    def _in_header(self, request: Request) -> ClientCertificate | None:
        value = request.header(self._header.name)
        if not value:  # nginx sends an empty one for a caller without a certificate, where told to send any
            return None
        if self._header.form == "pem":
            own, *others = read_escaped_pem(value)
            return read_client_certificate(own, tuple(others))
        chain = [text.decode("latin-1") for name, text in request.headers if name == _CHAIN]
        return read_client_certificate(read_byte_sequence(value), read_byte_sequences(chain))
