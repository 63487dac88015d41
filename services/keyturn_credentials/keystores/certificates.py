"""X.509 certificates: created for a client, loaded from others, and checked."""

import calendar
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from keyturn_credentials.keystores import pem
from keyturn_credentials.keystores.errors import (
    CertificateExpiredError,
    CertificateNotYetValidError,
    WeakKeyError,
    WeakSignatureError,
)
from keyturn_credentials.keystores.key_pairs import KeyPair
from keyturn_shared.jose.algorithms import PublicKey
from keyturn_shared.jose.errors import InvalidKeyError, KeyRefusal
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.keystores.errors import (
    InvalidParameterError,
    MalformedFileError,
    UnsupportedAlgorithmError,
)

DEFAULT_VALIDITY_YEARS: Final = 3
MAX_VALIDITY_YEARS: Final = 100
MAX_COMMON_NAME_OCTETS: Final = 64
_BACKDATED: Final = timedelta(seconds=100)

_WEAK_DIGESTS: Final = (hashes.MD5, hashes.SHA1)
_CURVE_DIGESTS: Final[dict[str, hashes.SHA256 | hashes.SHA384 | hashes.SHA512]] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
    "secp521r1": hashes.SHA512(),
}


def self_signed_certificate(
    key_pair: KeyPair,
    client_id: str,
    *,
    now: datetime,
    validity_years: int = DEFAULT_VALIDITY_YEARS,
) -> x509.Certificate:
    """Create a client's certificate over a key pair, signed with its private key.

    Subject and issuer are CN = client id, cut off at 64 octets of UTF-8, the limit of a common name in X.520.
    Like Keycloak's it is valid from 100 seconds before ``now``, since other clocks may be behind, until the
    same day ``validity_years`` later. Raises InvalidParameterError.
    """
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _common_name(client_id))])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key_pair.public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(_years_later(now, validity_years))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key_pair.public_key), critical=False)
    )
    private_key = key_pair.reveal()
    if isinstance(private_key, rsa.RSAPrivateKey):
        return builder.sign(private_key, hashes.SHA256())
    if isinstance(private_key, ec.EllipticCurvePrivateKey):
        return builder.sign(private_key, _CURVE_DIGESTS[private_key.curve.name])
    return builder.sign(private_key, None)


def load_certificate(der: bytes) -> x509.Certificate:
    """Load a certificate with readable parts only. Raises MalformedFileError, UnsupportedAlgorithmError."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        # These are parsed on first access: read them now, so that none of them can fail later.
        certificate.public_key()
        _ = (certificate.subject, certificate.issuer, certificate.signature_hash_algorithm)
        _ = (certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    except UnsupportedAlgorithm as error:
        raise UnsupportedAlgorithmError(f"a certificate with an unknown key or signature: {error}") from None
    except (ValueError, TypeError):
        raise MalformedFileError("a damaged certificate") from None
    return certificate


def certificate_body(certificate: x509.Certificate) -> str:
    """Return ``certificate`` of Keycloak's CertificateRepresentation."""
    return pem.body(certificate.public_bytes(Encoding.DER))


def subject_of(certificate: x509.Certificate) -> str:
    """Return the subject for an error: RFC 4514, shortened."""
    return certificate.subject.rfc4514_string()[:200] or "without a subject"


def check_chain(chain: Sequence[x509.Certificate], now: datetime) -> None:
    """Raise for the first certificate, leaf first, that is expired, not yet valid, weak, or has an unusable
    key.

    A self-signed issuer is trusted because it is known, not for its signature, which may therefore be old; a
    client's own certificate must be sound in every respect.
    """
    for position, certificate in enumerate(chain):
        check_public_key(certificate.public_key(), f"the certificate {subject_of(certificate)}")
        if position == 0 or not is_self_issued(certificate):
            _check_signature_digest(certificate)
        _check_time(certificate, now)


def check_public_key(key: object, where: str) -> PublicKey:
    """Return a key fit for verifying signatures. Raises WeakKeyError, UnsupportedAlgorithmError,
    MalformedFileError."""
    try:
        return VerificationKey.from_public_key(key).public_key
    except InvalidKeyError as error:
        raise key_refused(error.reason, error.detail, where) from None


def key_refused(
    reason: KeyRefusal, detail: str, where: str
) -> WeakKeyError | UnsupportedAlgorithmError | MalformedFileError:
    """Return the error of this package for an InvalidKeyError's reason and detail, which names the reason."""
    detail = f"{where}: {detail}"
    if reason is KeyRefusal.WEAK:
        return WeakKeyError(detail)
    if reason in (KeyRefusal.INVALID, KeyRefusal.DUPLICATE, KeyRefusal.ALGORITHM_MISMATCH):
        return MalformedFileError(detail)
    return UnsupportedAlgorithmError(detail)


def is_self_issued(certificate: x509.Certificate) -> bool:
    return certificate.subject == certificate.issuer


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Return whether the issuer's name and key match the certificate. It checks the signature only if the
    name matches."""
    if certificate.issuer != issuer.subject:
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def is_valid_at(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def _check_time(certificate: x509.Certificate, now: datetime) -> None:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now > end:
        raise CertificateExpiredError(f"{subject_of(certificate)} expired at {end:%Y-%m-%dT%H:%M:%SZ}")
    if now < begin:
        raise CertificateNotYetValidError(
            f"{subject_of(certificate)} is valid from {begin:%Y-%m-%dT%H:%M:%SZ} on"
        )


def _check_signature_digest(certificate: x509.Certificate) -> None:
    digest = certificate.signature_hash_algorithm
    if isinstance(digest, _WEAK_DIGESTS):
        raise WeakSignatureError(f"{subject_of(certificate)} is signed with {digest.name.upper()}")


def _common_name(client_id: str) -> str:
    try:
        octets = client_id.encode()[:MAX_COMMON_NAME_OCTETS]
    except UnicodeEncodeError:
        raise InvalidParameterError("the client id is not valid Unicode") from None
    if not octets:
        raise InvalidParameterError("the client id is empty")
    return octets.decode(errors="ignore")


def _years_later(now: datetime, years: int) -> datetime:
    if not 1 <= years <= MAX_VALIDITY_YEARS:
        raise InvalidParameterError(f"validity must be 1 to {MAX_VALIDITY_YEARS}")
    begin = now.astimezone(UTC)
    last_day = calendar.monthrange(begin.year + years, begin.month)[1]  # not every year has 29 February
    return begin.replace(year=begin.year + years, day=min(begin.day, last_day))
