"""The formats "Certificate PEM" and "Public Key PEM"."""

from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key

from keyturn_credentials.keystores import pem
from keyturn_credentials.keystores.certificates import check_public_key, load_certificate
from keyturn_credentials.keystores.chains import Chain, ordered
from keyturn_credentials.keystores.errors import OtherFormatError, PrivateKeyPresentError
from keyturn_credentials.keystores.formats import (
    A_CERTIFICATE,
    A_PRIVATE_KEY,
    A_PUBLIC_KEY,
    appearance,
    der_appearance,
)
from keyturn_shared.jose.algorithms import PublicKey
from keyturn_shared.keystores.errors import (
    KeyStoreError,
    LimitExceededError,
    MalformedFileError,
    UnsupportedAlgorithmError,
)
from keyturn_shared.keystores.limits import MAX_CHAIN

_CERTIFICATE_LABELS: Final = frozenset(
    {"CERTIFICATE", "X509 CERTIFICATE", "X.509 CERTIFICATE"}
)  # RFC 7468 section 5
_PUBLIC_KEY_LABELS: Final = frozenset({"PUBLIC KEY", "RSA PUBLIC KEY"})
_IN_DER: Final = {"a certificate": A_CERTIFICATE, "a public key": A_PUBLIC_KEY}
_PRIVATE_KEY_SENT: Final = "the file contains a private key, which only its owner should see"


def read_certificates(data: bytes, now: datetime) -> Chain:
    """Parse the chain in a PEM file, in any order, and return it leaf first; or one certificate in base64 or
    DER.

    Raises OtherFormatError, PrivateKeyPresentError, MalformedFileError, UnsupportedAlgorithmError,
    BrokenChainError, LimitExceededError.
    """
    contents = _contents(data, _CERTIFICATE_LABELS, "a certificate")
    if len(contents) > MAX_CHAIN:
        raise LimitExceededError(f"{len(contents)} certificates, more than the {MAX_CHAIN} of a chain")
    return ordered([_certificate(content) for content in contents], now)


def read_public_key(data: bytes) -> PublicKey:
    """Parse the key in a PEM file, in bare base64 or in DER: SubjectPublicKeyInfo, or PKCS #1 for RSA.

    Raises OtherFormatError, PrivateKeyPresentError, MalformedFileError, UnsupportedAlgorithmError,
    WeakKeyError.
    """
    contents = _contents(data, _PUBLIC_KEY_LABELS, "a public key")
    if len(contents) != 1:
        raise MalformedFileError(f"{len(contents)} public keys in the file, where one is expected")
    try:
        key = load_der_public_key(contents[0])
    except UnsupportedAlgorithm as error:
        raise UnsupportedAlgorithmError(f"an unsupported public key: {error}") from None
    except (ValueError, TypeError):
        raise _not_a("a public key", contents[0]) from None
    return check_public_key(key, "the public key")


def _certificate(content: bytes) -> x509.Certificate:
    try:
        return load_certificate(content)
    except MalformedFileError:
        raise _not_a("a certificate", content) from None


def _contents(data: bytes, labels: frozenset[str], what: str) -> list[bytes]:
    """DER of each block of these labels, of bare base64, or as it is. Blocks beside them are not passed over
    in silence."""
    if der_appearance(data) == _IN_DER[what]:
        return [data]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _not_a(what, data) from None
    blocks = pem.blocks(text)
    if any(block.is_private_key for block in blocks):
        raise PrivateKeyPresentError(_PRIVATE_KEY_SENT)
    for block in blocks:
        if block.label not in labels:
            raise OtherFormatError(f"the file is not {what} in PEM: it holds PEM of {block.label!r}")
    if blocks:
        return [block.content for block in blocks]
    try:
        return [pem.decode_body(text)]
    except MalformedFileError:
        raise _not_a(what, data) from None


def _not_a(what: str, data: bytes) -> KeyStoreError:
    looks = appearance(data)
    if looks == A_PRIVATE_KEY:
        return PrivateKeyPresentError(_PRIVATE_KEY_SENT)
    if looks.endswith(what.removeprefix("a ")) and der_appearance(data) == looks:
        return OtherFormatError(f"the file is {what}, but damaged")
    return OtherFormatError(f"the file is not {what} in PEM: it looks like {looks}")
