"""A certificate that a client has presented and, by TLS, proved to hold."""

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from cryptography import x509

from keyturn_shared.jose import base64url
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.oauth.errors import CertificateNotValidError, MalformedCertificateError

MAX_CERTIFICATE_BYTES: Final = 16 * 1024
MAX_INTERMEDIATES: Final = 8
_KEPT: Final = 2048


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """``thumbprint``: SHA-256 of the DER, base64url (``x5t#S256``, RFC 8705 section 3.1). ``intermediates``:
    sent with it, unchecked. ``chain_checked``: the TLS of this very server has checked its chain."""

    certificate: x509.Certificate
    thumbprint: str
    intermediates: tuple[x509.Certificate, ...] = ()
    chain_checked: bool = False
    _key: list[VerificationKey] = field(default_factory=list, repr=False, compare=False)

    @property
    def key(self) -> VerificationKey:
        """Return its public key. Raises InvalidKeyError if the key is weak or of an unknown kind."""
        if not self._key:
            self._key.append(VerificationKey.from_certificate(self.certificate))
        return self._key[0]

    def require_time(self, now: float, leeway: float) -> None:
        """Raise CertificateNotValidError outside its validity period. ``now``: NumericDate seconds."""
        if now + leeway < self.certificate.not_valid_before_utc.timestamp():
            raise CertificateNotValidError("the certificate is not valid yet")
        if now - leeway > self.certificate.not_valid_after_utc.timestamp():
            raise CertificateNotValidError("the certificate has expired")


@lru_cache(maxsize=_KEPT)
def read_client_certificate(
    der: bytes, intermediates: tuple[bytes, ...] = (), *, chain_checked: bool = False
) -> ClientCertificate:
    """Parse a certificate. Raises MalformedCertificateError."""
    if len(intermediates) > MAX_INTERMEDIATES:
        raise MalformedCertificateError(f"more than {MAX_INTERMEDIATES} certificates in a chain")
    digest = hashlib.sha256(der).digest()
    return ClientCertificate(
        _read(der), base64url.encode_text(digest), tuple(map(_read, intermediates)), chain_checked
    )


def _read(der: bytes) -> x509.Certificate:
    if len(der) > MAX_CERTIFICATE_BYTES:
        raise MalformedCertificateError(f"a certificate of more than {MAX_CERTIFICATE_BYTES} bytes")
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError:
        raise MalformedCertificateError("not an X.509 certificate") from None
