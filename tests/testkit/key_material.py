"""Keys and certificates for tests of key stores, each generated once per test run."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from keyturn_credentials.keystores import (
    ArchivePasswords,
    ImportedCertificate,
    KeyPair,
    KeyPairKind,
    KeyStoreFormat,
    generate_key_pair,
    import_credentials,
    self_signed_certificate,
)
from keyturn_shared.secret import Secret

NOW: Final = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
STORE: Final = Secret("store password")
KEY: Final = Secret("key password")
PASSWORDS: Final = ArchivePasswords(store=STORE, key=KEY)

JKS, PKCS12 = KeyStoreFormat.JKS, KeyStoreFormat.PKCS12


def key_pair(kind: KeyPairKind = KeyPairKind.P_256, number: int = 0) -> KeyPair:
    """Return the same key pair for the same arguments."""
    return _key_pair(kind, number)


def certificate(kind: KeyPairKind = KeyPairKind.P_256, subject: str = "a-client") -> x509.Certificate:
    """Return a self-signed certificate over ``key_pair(kind)``, the same for the same arguments."""
    return _certificate(kind, subject)


def issued(
    subject: str,
    issuer: str,
    *,
    number: int = 0,
    issuer_number: int = 0,
    begin: datetime = NOW - timedelta(days=1),
    end: datetime = NOW + timedelta(days=1),
) -> x509.Certificate:
    """Issue a certificate over the P-256 key pair ``number``, signed by that with ``issuer_number``."""
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key_pair(number=number).public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .sign(_signing_key(issuer_number), hashes.SHA256())
    )


@cache
def chain_of_three() -> tuple[x509.Certificate, ...]:
    """Return leaf (key pair 0), intermediate (1) and root (2)."""
    return (
        issued("leaf", "intermediate", number=0, issuer_number=1),
        issued("intermediate", "root", number=1, issuer_number=2),
        issued("root", "root", number=2, issuer_number=2),
    )


def import_archive(
    archive_format: KeyStoreFormat,
    data: bytes,
    alias: str | None = None,
    *,
    key: Secret | None = KEY,
    store: Secret | None = STORE,
    now: datetime = NOW,
) -> ImportedCertificate:
    imported = import_credentials(
        archive_format, data, now=now, key_alias=alias, key_password=key, store_password=store
    )
    assert isinstance(imported, ImportedCertificate)
    return imported


def counting_octets() -> Callable[[int], bytes]:
    """Return fake randomness: 0, 1, 2… so that an archive is always the same."""
    return lambda size: bytes(i & 0xFF for i in range(size))


def pem(certificates: Iterable[x509.Certificate]) -> bytes:
    return b"".join(c.public_bytes(Encoding.PEM) for c in certificates)


@cache
def _key_pair(kind: KeyPairKind, number: int) -> KeyPair:
    return generate_key_pair(kind)


@cache
def _certificate(kind: KeyPairKind, subject: str) -> x509.Certificate:
    return self_signed_certificate(key_pair(kind), subject, now=NOW)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _signing_key(number: int) -> ec.EllipticCurvePrivateKey:
    private_key = key_pair(number=number).reveal()
    assert isinstance(private_key, ec.EllipticCurvePrivateKey)
    return private_key
