"""Keys from passwords: PKCS #12's own way (RFC 7292 appendix B.2), and PBKDF2 (RFC 8018 section 5.2)."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from keyturn_credentials.keystores import asn1
from keyturn_credentials.keystores.errors import (
    LimitExceededError,
    MalformedFileError,
    UnsupportedAlgorithmError,
)
from keyturn_credentials.keystores.limits import MAX_SALT_BYTES, DerivationBudget
from keyturn_credentials.keystores.pkcs12.identifiers import HMACS, PBKDF2
from keyturn_shared.secret import Secret


class Purpose(IntEnum):
    """What derived octets are for (RFC 7292 appendix B.3)."""

    KEY = 1
    INITIALISATION_VECTOR = 2
    MAC = 3


@dataclass(frozen=True, slots=True)
class Pkcs12Derivation:
    """The parameters of the older schemes. ``digest``: as hashlib names it."""

    digest: str
    salt: bytes
    iterations: int

    @classmethod
    def parse(cls, parameters: asn1.Reader, digest: str) -> Self:
        """pkcs-12PbeParams (RFC 7292 appendix C)."""
        return cls(digest, checked_salt(parameters.octets()), checked_iterations(parameters.integer()))

    def derive(self, password: Secret, purpose: Purpose, length: int, budget: DerivationBudget) -> bytes:
        """``length`` octets for a purpose. Raises LimitExceededError before anything is computed."""
        new_hash: Callable[[bytes], hashlib._Hash] = getattr(hashlib, self.digest)
        digest_size, block_size = new_hash(b"").digest_size, new_hash(b"").block_size
        blocks = -(-length // digest_size)
        budget.spend(blocks * self.iterations)
        diversifier = bytes([purpose]) * block_size
        state = _filled(self.salt, block_size) + _filled(bmp_password(password), block_size)
        derived = bytearray()
        for _ in range(blocks):
            octets = diversifier + state
            for _ in range(self.iterations):
                octets = new_hash(octets).digest()
            derived += octets
            state = _added(state, octets, block_size)
        return bytes(derived[:length])


@dataclass(frozen=True, slots=True)
class Pbkdf2Derivation:
    """The parameters of PBKDF2. ``digest``: that of its HMAC, as hashlib names it. ``key_length``: if the
    parameters name it."""

    digest: str
    salt: bytes
    iterations: int
    key_length: int | None = None

    @classmethod
    def parse(cls, algorithm: asn1.Reader) -> Self:
        """The AlgorithmIdentifier of a key derivation function, which has to be PBKDF2."""
        if algorithm.identifier() != PBKDF2:
            raise UnsupportedAlgorithmError("a key derivation other than PBKDF2")
        parameters = algorithm.sequence()
        salt, iterations = parameters.octets(), parameters.integer()
        key_length = None
        if (content := parameters.optional(asn1.INTEGER)) is not None:
            key_length = int.from_bytes(content[:4], "big")
        digest = "sha1"
        if not parameters.at_end:
            name = HMACS.get(parameters.sequence().identifier())
            if name is None:
                raise UnsupportedAlgorithmError("PBKDF2 over an unknown HMAC")
            digest = name
        return cls(digest, checked_salt(salt), checked_iterations(iterations), key_length)

    def derive(self, password: Secret, length: int, budget: DerivationBudget) -> bytes:
        """``length`` octets. Raises LimitExceededError before anything is computed."""
        if self.key_length not in (None, length):
            raise MalformedFileError("a derived key of another length than its cipher takes")
        digest_size = hashlib.new(self.digest).digest_size
        budget.spend(-(-length // digest_size) * self.iterations)
        octets = password.reveal().encode("utf-8", "surrogatepass")
        return hashlib.pbkdf2_hmac(self.digest, octets, self.salt, self.iterations, length)


def bmp_password(password: Secret) -> bytes:
    """A password as PKCS #12 hashes it: UTF-16, big-endian, and a terminating zero (RFC 7292 appendix
    B.1)."""
    return (password.reveal() + "\0").encode("utf-16-be", "surrogatepass")


def checked_salt(salt: bytes) -> bytes:
    """The salt, unless it would make hashing dear. Raises LimitExceededError."""
    if len(salt) > MAX_SALT_BYTES:
        raise LimitExceededError(f"a salt of {len(salt)} octets, more than {MAX_SALT_BYTES}")
    return salt


def checked_iterations(iterations: int) -> int:
    """The number, unless it is zero. How large it may be, the budget says. Raises MalformedFileError."""
    if iterations < 1:
        raise MalformedFileError("an iteration count of zero")
    return iterations


def _filled(octets: bytes, block_size: int) -> bytes:
    """As many repetitions as fill up the last block."""
    size = -(-len(octets) // block_size) * block_size
    return (octets * (size // len(octets) + 1))[:size] if octets else b""


def _added(state: bytes, octets: bytes, block_size: int) -> bytes:
    """Each block of the state, plus the octets repeated to a block, plus one, modulo the block size."""
    addend = int.from_bytes(_filled(octets, block_size)[:block_size], "big") + 1
    modulus = 1 << 8 * block_size
    return b"".join(
        ((int.from_bytes(state[i : i + block_size], "big") + addend) % modulus).to_bytes(block_size, "big")
        for i in range(0, len(state), block_size)
    )
