"""Encryption of private keys in JKS.

The key is XORed with a stream of SHA-1 blocks, each over the password and the previous block, the first over
the password and a salt. Salt, ciphertext and a digest of password and key follow each other, wrapped in an
EncryptedPrivateKeyInfo (RFC 5958 section 3) under an object identifier of Sun's.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from keyturn_shared.keystores import asn1
from keyturn_shared.keystores.errors import (
    MalformedFileError,
    UnsupportedAlgorithmError,
    WrongKeyPasswordError,
)
from keyturn_shared.keystores.jks.layout import password_octets
from keyturn_shared.secret import Secret

_ALGORITHM: Final = asn1.oid("1.3.6.1.4.1.42.2.17.1.1")
_SALT_BYTES: Final = 20
_BLOCK_BYTES: Final = 20


@dataclass(frozen=True, slots=True)
class JksProtectedKey:
    """A private key in a JKS file. ``octets``: salt, ciphertext and digest."""

    octets: bytes = field(repr=False)

    @classmethod
    def parse(cls, encoded: bytes) -> "JksProtectedKey":
        """Parse an EncryptedPrivateKeyInfo. Raises MalformedFileError, UnsupportedAlgorithmError."""
        info = asn1.Reader(encoded).sequence()
        if info.sequence().identifier() != _ALGORITHM:
            raise UnsupportedAlgorithmError("the private key is not encrypted with the JKS algorithm")
        octets = info.octets()
        if len(octets) <= _SALT_BYTES + _BLOCK_BYTES:
            raise MalformedFileError("the encrypted private key is too short")
        return cls(octets)

    def open(self, password: Secret) -> bytes:
        """Decrypt to PKCS #8, DER. Raises WrongKeyPasswordError."""
        secret = password_octets(password)
        salt, ciphertext = self.octets[:_SALT_BYTES], self.octets[_SALT_BYTES:-_BLOCK_BYTES]
        plaintext = _xor(ciphertext, _key_stream(secret, salt, len(ciphertext)))
        if not hmac.compare_digest(_sha1(secret + plaintext), self.octets[-_BLOCK_BYTES:]):
            raise WrongKeyPasswordError("the key password does not open the private key")
        return plaintext


def protect(private_key_info: bytes, password: Secret, random_bytes: Callable[[int], bytes]) -> bytes:
    """Encrypt a private key in PKCS #8 to an EncryptedPrivateKeyInfo."""
    secret = password_octets(password)
    salt = random_bytes(_SALT_BYTES)
    ciphertext = _xor(private_key_info, _key_stream(secret, salt, len(private_key_info)))
    return asn1.sequence(
        asn1.sequence(asn1.object_identifier(_ALGORITHM), asn1.element(asn1.NULL, b"")),
        asn1.octet_string(salt + ciphertext + _sha1(secret + private_key_info)),
    )


def _key_stream(secret: bytes, salt: bytes, length: int) -> bytes:
    stream, block = bytearray(), salt
    while len(stream) < length:
        block = _sha1(secret + block)
        stream += block
    return bytes(stream[:length])


def _xor(left: bytes, right: bytes) -> bytes:
    number = int.from_bytes(left, "big") ^ int.from_bytes(right, "big")
    return number.to_bytes(len(left), "big")


def _sha1(octets: bytes) -> bytes:
    return hashlib.sha1(octets, usedforsecurity=False).digest()  # the format requires SHA-1
