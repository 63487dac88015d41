"""Password-based encryption: reads PBES2 and four older schemes, writes PBES2 only."""

from collections.abc import Callable
from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from keyturn_shared.keystores import asn1
from keyturn_shared.keystores.errors import MalformedFileError, UnsupportedAlgorithmError
from keyturn_shared.keystores.limits import DerivationBudget
from keyturn_shared.keystores.pkcs12 import rc2
from keyturn_shared.keystores.pkcs12.algorithm_names import CONVERT, name_of
from keyturn_shared.keystores.pkcs12.identifiers import AES_256_CBC, HMAC_SHA256, PBES2, PBKDF2
from keyturn_shared.keystores.pkcs12.key_derivation import Pbkdf2Derivation, Pkcs12Derivation, Purpose
from keyturn_shared.secret import Secret

SALT_BYTES: Final = 16
_AES_BLOCK_BYTES: Final = 16

# PBES2 (RFC 8018 appendix B.2): cipher and key length in octets.
_CIPHERS: Final[dict[bytes, tuple[type[AES | TripleDES], int]]] = {
    asn1.oid("2.16.840.1.101.3.4.1.2"): (AES, 16),
    asn1.oid("2.16.840.1.101.3.4.1.22"): (AES, 24),
    AES_256_CBC: (AES, 32),
    asn1.oid("1.2.840.113549.3.7"): (TripleDES, 24),
}
# PKCS #12 (RFC 7292 appendix C), all over SHA-1, all with blocks of eight octets: key length in octets.
_TRIPLE_DES_SCHEMES: Final = {
    asn1.oid("1.2.840.113549.1.12.1.3"): 24,
    asn1.oid("1.2.840.113549.1.12.1.4"): 16,
}
_RC2_SCHEMES: Final = {
    asn1.oid("1.2.840.113549.1.12.1.5"): 16,
    asn1.oid("1.2.840.113549.1.12.1.6"): 5,
}


class DecryptionError(MalformedFileError):
    """The result has invalid padding. Usually the password is wrong: the caller knows which one."""


def decrypt(
    algorithm: asn1.Reader, ciphertext: bytes, password: Secret | None, budget: DerivationBudget
) -> bytes:
    """Decrypt under an AlgorithmIdentifier. Raises DecryptionError, MalformedFileError,
    UnsupportedAlgorithmError, LimitExceededError."""
    scheme = algorithm.identifier()
    parameters = algorithm.sequence()
    if scheme == PBES2:
        return _decrypt_pbes2(parameters, ciphertext, password, budget)
    key_length = _TRIPLE_DES_SCHEMES.get(scheme) or _RC2_SCHEMES.get(scheme)
    if key_length is None:
        raise UnsupportedAlgorithmError(f"encrypted with {name_of(scheme)}; {CONVERT}")
    derivation = Pkcs12Derivation.parse(parameters, "sha1")
    key = derivation.derive(password, Purpose.KEY, key_length, budget)
    vector = derivation.derive(password, Purpose.INITIALISATION_VECTOR, rc2.BLOCK_BYTES, budget)
    if scheme in _RC2_SCHEMES:
        return _unpadded(rc2.decrypt_cbc(key, vector, ciphertext), rc2.BLOCK_BYTES)
    return _decrypt_cbc(TripleDES((key + key)[:24]), vector, ciphertext)


def encrypt(
    plaintext: bytes, password: Secret, *, iterations: int, random_bytes: Callable[[int], bytes]
) -> tuple[bytes, bytes]:
    """Encrypt, and return AlgorithmIdentifier and ciphertext: PBES2 with PBKDF2 over HMAC-SHA-256, and
    AES-256 in CBC, like Java (from 8u301) and OpenSSL (from 3.0)."""
    derivation = Pbkdf2Derivation("sha256", random_bytes(SALT_BYTES), iterations)
    vector = random_bytes(_AES_BLOCK_BYTES)
    key = derivation.derive(password, 32, DerivationBudget(iterations))
    padder = padding.PKCS7(8 * _AES_BLOCK_BYTES).padder()
    encryptor = Cipher(AES(key), modes.CBC(vector)).encryptor()
    padded = padder.update(plaintext) + padder.finalize()
    kdf_parameters = asn1.sequence(
        asn1.octet_string(derivation.salt),
        asn1.integer(iterations),
        asn1.sequence(asn1.object_identifier(HMAC_SHA256), asn1.element(asn1.NULL, b"")),
    )
    algorithm = asn1.sequence(
        asn1.object_identifier(PBES2),
        asn1.sequence(
            asn1.sequence(asn1.object_identifier(PBKDF2), kdf_parameters),
            asn1.sequence(asn1.object_identifier(AES_256_CBC), asn1.octet_string(vector)),
        ),
    )
    return algorithm, encryptor.update(padded) + encryptor.finalize()


def _decrypt_pbes2(
    parameters: asn1.Reader, ciphertext: bytes, password: Secret | None, budget: DerivationBudget
) -> bytes:
    derivation = Pbkdf2Derivation.parse(parameters.sequence())
    scheme = parameters.sequence()
    identifier = scheme.identifier()
    cipher = _CIPHERS.get(identifier)
    if cipher is None:
        raise UnsupportedAlgorithmError(f"encrypted with {name_of(identifier)}; {CONVERT}")
    algorithm, key_length = cipher
    vector = scheme.octets()
    if len(vector) * 8 != algorithm.block_size:
        raise MalformedFileError("an initialisation vector of the wrong length for its cipher")
    return _decrypt_cbc(algorithm(derivation.derive(password, key_length, budget)), vector, ciphertext)


def _decrypt_cbc(algorithm: BlockCipherAlgorithm, vector: bytes, ciphertext: bytes) -> bytes:
    block_bytes = algorithm.block_size // 8
    if len(ciphertext) % block_bytes:
        raise MalformedFileError("the ciphertext is not a whole number of blocks")
    decryptor = Cipher(algorithm, modes.CBC(vector)).decryptor()
    return _unpadded(decryptor.update(ciphertext) + decryptor.finalize(), block_bytes)


def _unpadded(padded: bytes, block_bytes: int) -> bytes:
    unpadder = padding.PKCS7(8 * block_bytes).unpadder()
    try:
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        raise DecryptionError("a plaintext without its padding") from None
