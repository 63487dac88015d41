"""The MAC over a PKCS #12 file (RFC 7292 section 4, RFC 9579)."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Final

from keyturn_shared.keystores import asn1
from keyturn_shared.keystores.errors import (
    MalformedFileError,
    UnsupportedAlgorithmError,
    WrongStorePasswordError,
)
from keyturn_shared.keystores.limits import DerivationBudget
from keyturn_shared.keystores.pkcs12.algorithm_names import CONVERT, name_of
from keyturn_shared.keystores.pkcs12.encryption import SALT_BYTES
from keyturn_shared.keystores.pkcs12.identifiers import DIGESTS, HMACS, PBMAC1, SHA256
from keyturn_shared.keystores.pkcs12.key_derivation import (
    Pbkdf2Derivation,
    Pkcs12Derivation,
    Purpose,
    checked_iterations,
    checked_salt,
)
from keyturn_shared.secret import Secret

_MAX_KEY_BYTES: Final = 64
_MIN_KEY_BYTES: Final = 20  # RFC 9579 section 5


def verify_mac(
    mac_data: asn1.Reader, content: bytes, password: Secret | None, budget: DerivationBudget
) -> None:
    """Raise WrongStorePasswordError unless MacData is valid for the content. Also raises
    UnsupportedAlgorithmError, MalformedFileError, LimitExceededError."""
    digest_info = mac_data.sequence()
    algorithm, expected = digest_info.sequence(), digest_info.octets()
    identifier = algorithm.identifier()
    if identifier == PBMAC1:
        digest, key = _pbmac1(algorithm.sequence(), password, budget)
    else:
        digest, key = _pkcs12_mac(identifier, mac_data, password, budget)
    if not hmac.compare_digest(hmac.digest(key, content, digest), expected):
        raise WrongStorePasswordError("the store password is wrong, or the archive is damaged")


def make_mac(
    content: bytes, password: Secret | None, *, iterations: int, random_bytes: Callable[[int], bytes]
) -> bytes:
    """Make MacData over the content: HMAC-SHA-256 with PKCS #12's own derivation, which every reader
    supports."""
    derivation = Pkcs12Derivation("sha256", random_bytes(SALT_BYTES), iterations)
    key = derivation.derive(password, Purpose.MAC, 32, DerivationBudget(iterations))
    algorithm = asn1.sequence(asn1.object_identifier(SHA256), asn1.element(asn1.NULL, b""))
    return asn1.sequence(
        asn1.sequence(algorithm, asn1.octet_string(hmac.digest(key, content, "sha256"))),
        asn1.octet_string(derivation.salt),
        asn1.integer(iterations),
    )


def _pkcs12_mac(
    identifier: bytes, mac_data: asn1.Reader, password: Secret | None, budget: DerivationBudget
) -> tuple[str, bytes]:
    digest = DIGESTS.get(identifier)
    if digest is None:
        raise UnsupportedAlgorithmError(f"a MAC over {name_of(identifier)}; {CONVERT}")
    salt = checked_salt(mac_data.octets())
    iterations = 1 if mac_data.at_end else checked_iterations(mac_data.integer())
    length = hashlib.new(digest).digest_size
    derivation = Pkcs12Derivation(digest, salt, iterations)
    return digest, derivation.derive(password, Purpose.MAC, length, budget)


def _pbmac1(parameters: asn1.Reader, password: Secret | None, budget: DerivationBudget) -> tuple[str, bytes]:
    derivation = Pbkdf2Derivation.parse(parameters.sequence())
    hmac_identifier = parameters.sequence().identifier()
    digest = HMACS.get(hmac_identifier)
    if digest is None:
        raise UnsupportedAlgorithmError(f"a MAC with {name_of(hmac_identifier)}; {CONVERT}")
    length = derivation.key_length
    if length is None or not _MIN_KEY_BYTES <= length <= _MAX_KEY_BYTES:
        raise MalformedFileError("PBMAC1 without a valid key length")
    return digest, derivation.derive(password, length, budget)
