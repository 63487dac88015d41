"""Extraction of the public keys in an uploaded file; nothing private survives the call."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

from keyturn_credentials.keystores import pem
from keyturn_credentials.keystores.certificate_pem import read_certificates, read_public_key
from keyturn_credentials.keystores.certificates import (
    certificate_body,
    check_chain,
    load_certificate,
    subject_of,
)
from keyturn_credentials.keystores.chains import Chain, issuers_of
from keyturn_credentials.keystores.errors import (
    CertificateNotFoundError,
    EmptyFileError,
    FormatNotSupportedError,
    KeyMismatchError,
    OtherFormatError,
)
from keyturn_credentials.keystores.formats import (
    A_JKS_ARCHIVE,
    A_PKCS12_ARCHIVE,
    BCFKS_NOT_SUPPORTED,
    KeyStoreFormat,
    appearance,
)
from keyturn_credentials.keystores.key_set import read_key_set
from keyturn_shared.jose.algorithms import PublicKey
from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.keystores.entries import ProtectedKey, StoredEntry, choose_entry
from keyturn_shared.keystores.errors import KeyStoreError, LimitExceededError, WrongKeyPasswordError
from keyturn_shared.keystores.jks import read_jks
from keyturn_shared.keystores.limits import MAX_FILE_BYTES, refuse_long_password
from keyturn_shared.keystores.pkcs12 import read_pkcs12
from keyturn_shared.secret import Secret


@dataclass(frozen=True, slots=True)
class ImportedCertificate:
    """A certificate and those of its issuers that the file contains, leaf first, all valid and not weak."""

    chain: Chain

    @property
    def public_key(self) -> PublicKey:
        return self.chain[0].public_key()  # type: ignore[return-value]  # check_chain lets no other type pass

    @property
    def representation(self) -> dict[str, str]:
        """Return the members of Keycloak's CertificateRepresentation, which has no place for the rest of the
        chain."""
        return {"certificate": certificate_body(self.chain[0])}


@dataclass(frozen=True, slots=True)
class ImportedPublicKey:
    """A bare public key that is not weak."""

    public_key: PublicKey

    @property
    def representation(self) -> dict[str, str]:
        """Return the members of Keycloak's CertificateRepresentation."""
        return {"publicKey": public_key_body(self.public_key)}


@dataclass(frozen=True, slots=True)
class ImportedKeySet:
    """A JSON Web Key Set. ``text``: as it was sent, for ``jwks.string``. ``key_set``: its keys for
    signatures."""

    text: str
    key_set: KeySet

    @property
    def representation(self) -> dict[str, str]:
        """Return the members of Keycloak's CertificateRepresentation, which has a place for the first key
        only."""
        first = self.key_set.keys[0]
        return {"publicKey": public_key_body(first.public_key), "kid": first.kid}


ImportedKeys = ImportedCertificate | ImportedPublicKey | ImportedKeySet


def import_credentials(
    file_format: KeyStoreFormat,
    data: bytes,
    *,
    now: datetime,
    key_alias: str | None = None,
    key_password: Secret | None = None,
    store_password: Secret | None = None,
) -> ImportedKeys:
    """Extract the public keys in a file of one of Keycloak's formats.

    ``key_alias``, ``key_password`` and ``store_password`` apply to archives only; an empty one counts as
    absent, and opens an archive whose password is empty. Without an alias the archive's only entry is used.
    With a key password the entry's private key is decrypted, compared with its certificate, and discarded;
    without one it stays encrypted. ``now`` has a time zone. A malicious file can keep a processor busy for a
    few seconds: call this in a worker thread.

    Raises KeyStoreError, always one of its subclasses.
    """
    if not data.strip():
        raise EmptyFileError("the file is empty")
    if len(data) > MAX_FILE_BYTES:
        raise LimitExceededError(f"the file has {len(data)} bytes; at most {MAX_FILE_BYTES} are allowed")
    match file_format:
        case KeyStoreFormat.CERTIFICATE_PEM:
            chain = read_certificates(data, now)
            check_chain(chain, now)
            return ImportedCertificate(chain)
        case KeyStoreFormat.PUBLIC_KEY_PEM:
            return ImportedPublicKey(read_public_key(data))
        case KeyStoreFormat.JSON_WEB_KEY_SET:
            return ImportedKeySet(*read_key_set(data))
        case KeyStoreFormat.BCFKS:
            raise FormatNotSupportedError(BCFKS_NOT_SUPPORTED)
    key_password, store_password = _given(key_password), _given(store_password)
    refuse_long_password(key_password, store_password)
    entries = _read_archive(file_format, data, store_password)
    if not entries:
        raise CertificateNotFoundError("the archive has no entry with a certificate")
    return _import_entry(choose_entry(entries, key_alias or None), key_password, now)


def public_key_body(key: PublicKey) -> str:
    """Return ``publicKey`` of Keycloak's CertificateRepresentation: SubjectPublicKeyInfo in base64, in one
    line."""
    return pem.body(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _read_archive(
    file_format: KeyStoreFormat, data: bytes, store_password: Secret | None
) -> tuple[StoredEntry, ...]:
    """Read an archive by its content, like Java, which writes PKCS #12 into .jks files and reads both."""
    looks = appearance(data)
    if looks == A_PKCS12_ARCHIVE:
        return read_pkcs12(data, store_password)
    if looks != A_JKS_ARCHIVE:
        expected = A_JKS_ARCHIVE if file_format is KeyStoreFormat.JKS else A_PKCS12_ARCHIVE
        raise OtherFormatError(f"the file is not {expected}: it looks like {looks}")
    return read_jks(data, store_password)


def _import_entry(entry: StoredEntry, key_password: Secret | None, now: datetime) -> ImportedCertificate:
    if not entry.certificates:
        raise CertificateNotFoundError(f"the entry {entry.alias[:100]!r} has a key, but no certificate")
    leaf = load_certificate(entry.certificates[0])
    check_chain((leaf,), now)
    chain = issuers_of(leaf, _readable(entry.certificates[1:]), now)
    check_chain(chain, now)
    if entry.protected_key is not None and key_password is not None:
        _check_private_key(entry.protected_key, key_password, leaf)
    return ImportedCertificate(chain)


def _readable(certificates: Sequence[bytes]) -> list[x509.Certificate]:
    """Return the readable certificates: others can't be issuers of a certificate that is used."""
    readable = []
    for der in certificates:
        with suppress(KeyStoreError):
            readable.append(load_certificate(der))
    return readable


def _check_private_key(protected_key: ProtectedKey, password: Secret, certificate: x509.Certificate) -> None:
    encoded = protected_key.open(password)
    try:
        # Testing an RSA key for sound primes takes seconds; whether it belongs to the certificate is tested
        # below.
        private_key = load_der_private_key(encoded, None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise WrongKeyPasswordError(
            "the key password does not open the private key, or it is damaged"
        ) from None
    public_key = certificate.public_key()
    if isinstance(private_key, rsa.RSAPrivateKey) and isinstance(public_key, rsa.RSAPublicKey):
        belongs = _is_rsa_pair(private_key, public_key)
    else:
        belongs = private_key.public_key() == public_key
    if not belongs:
        raise KeyMismatchError(f"the private key of {subject_of(certificate)} is not that of its certificate")


def _is_rsa_pair(private_key: rsa.RSAPrivateKey, public_key: rsa.RSAPublicKey) -> bool:
    """Return whether the private exponent inverts the public one, for any message (RFC 8017 section 3.2)."""
    private, public = private_key.private_numbers(), public_key.public_numbers()
    if private.p < 2 or private.q < 2 or private.p * private.q != public.n:
        return False
    inverse = private.d * public.e - 1
    return inverse % (private.p - 1) == 0 and inverse % (private.q - 1) == 0


def _given(password: Secret | None) -> Secret | None:
    return password if password is not None and password.reveal() else None
