"""Constants of a JKS file, and its two text encodings."""

import hashlib
from typing import Final

from keyturn_shared.keystores.errors import MalformedFileError
from keyturn_shared.secret import Secret

VERSION_WITHOUT_TYPES: Final = 1
VERSION: Final = 2
"""Version from which each certificate is preceded by its type."""

KEY_ENTRY: Final = 1
CERTIFICATE_ENTRY: Final = 2
CERTIFICATE_TYPE: Final = "X.509"

DIGEST_BYTES: Final = 20
_DIGEST_SALT: Final = b"Mighty Aphrodite"


def password_octets(password: Secret) -> bytes:
    """Encode a password as Java hashes it: its UTF-16 code units, big-endian."""
    return password.reveal().encode("utf-16-be", "surrogatepass")


def store_digest(password: Secret, content: bytes) -> bytes:
    """Compute the digest at the end of the file, which detects a wrong password, and damage."""
    digest = hashlib.sha1(password_octets(password), usedforsecurity=False)
    digest.update(_DIGEST_SALT)
    digest.update(content)
    return digest.digest()


def encode_text(text: str) -> bytes:
    """Encode in Java's modified UTF-8: each UTF-16 code unit separately, and NUL in two octets."""
    units = text.encode("utf-16-be", "surrogatepass")
    characters = "".join(chr(units[i] << 8 | units[i + 1]) for i in range(0, len(units), 2))
    return characters.encode("utf-8", "surrogatepass").replace(b"\0", b"\xc0\x80")


def decode_text(octets: bytes) -> str:
    """Decode what ``encode_text`` encoded. Raises MalformedFileError."""
    try:
        units = octets.replace(b"\xc0\x80", b"\0").decode("utf-8", "surrogatepass")
        return units.encode("utf-16-be", "surrogatepass").decode("utf-16-be")
    except UnicodeError:
        raise MalformedFileError("a string in the archive is not modified UTF-8") from None
