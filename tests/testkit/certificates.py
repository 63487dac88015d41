"""Certificates of clients, and their authorities."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from keyturn_shared.jose.jwk import VerificationKey

DAY = timedelta(days=1)
_CLIENT = (ExtendedKeyUsageOID.CLIENT_AUTH,)


@dataclass(frozen=True)
class Issued:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: Any

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    @property
    def public_jwk(self) -> dict[str, object]:
        return VerificationKey.from_certificate(self.certificate).public_jwk

    @property
    def thumbprint(self) -> str:
        """Return the RFC 7638 thumbprint of its key."""
        return VerificationKey.from_certificate(self.certificate).thumbprint


def make_authority(
    name: str = "CN=Authority",
    by: Issued | None = None,
    *,
    path_length: int | None = None,
    usages: Sequence[x509.ObjectIdentifier] | None = None,
    may_sign: bool | None = True,
) -> Issued:
    """A root, or an authority below another one. ``usages``: what it may issue certificates for.
    ``may_sign``: what its key usage says of certificates; None: it has none."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(name, key, by).add_extension(x509.BasicConstraints(True, path_length), True)
    if usages is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), False)
    if may_sign is not None:
        usage = x509.KeyUsage(*(index == 6 or (index == 5 and may_sign) for index in range(9)))
        builder = builder.add_extension(usage, True)
    return _sign(builder, key, by)


def issue(
    by: Issued | None,
    subject: str = "CN=worker,O=Acme",
    *,
    key: Any = None,
    names: Sequence[x509.GeneralName] = (),
    usages: Sequence[x509.ObjectIdentifier] | None = _CLIENT,
    begins: timedelta = -DAY,
    ends: timedelta = DAY,
) -> Issued:
    """Issue a certificate for a client; without ``by`` it is self-signed."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    builder = _builder(subject, key, by, begins, ends)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
    if usages is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), False)
    return _sign(builder, key, by)


def _builder(
    subject: str, key: Any, by: Issued | None, begins: timedelta = -DAY, ends: timedelta = DAY
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    name = x509.Name.from_rfc4514_string(subject)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name if by is None else by.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key((by.key if by else key).public_key()), False
        )
    )


def _sign(builder: x509.CertificateBuilder, key: Any, by: Issued | None) -> Issued:
    return Issued(builder.sign(by.key if by else key, hashes.SHA256()), key)
