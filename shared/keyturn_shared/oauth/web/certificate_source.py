"""The source of a request's client certificate: TLS of this server, or a trusted proxy."""

from typing import Final

from keyturn_shared.network.known_networks import membership
from keyturn_shared.oauth.certificates.client_certificate import ClientCertificate, read_client_certificate
from keyturn_shared.oauth.certificates.headers import (
    CertificateHeader,
    read_byte_sequence,
    read_byte_sequences,
    read_escaped_pem,
)
from keyturn_shared.oauth.web.messages import Request

_CHAIN: Final = b"client-cert-chain"


class CertificateSource:
    """Finds the certificate of a request's sender."""

    def __init__(self, header: CertificateHeader) -> None:
        self._header = header
        self._is_proxy = membership(header.proxies)

    def of(self, request: Request) -> ClientCertificate | None:
        """Return the certificate, or None if there is none or its source is not trusted.

        A proxy's own certificate is not its callers'. Raises MalformedCertificateError, and
        InvalidRequestError for a repeated header.
        """
        if self._is_proxy(request.address):
            return self._in_header(request)
        if request.certificate is None:
            return None
        return read_client_certificate(request.certificate, chain_checked=True)

    def _in_header(self, request: Request) -> ClientCertificate | None:
        value = request.header(self._header.name)
        if not value:  # nginx can send an empty header for a caller without a certificate
            return None
        if self._header.form == "pem":
            own, *others = read_escaped_pem(value)
            return read_client_certificate(own, tuple(others))
        chain = [text.decode("latin-1") for name, text in request.headers if name == _CHAIN]
        return read_client_certificate(read_byte_sequence(value), read_byte_sequences(chain))
