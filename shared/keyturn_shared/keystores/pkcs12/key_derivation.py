"""Key derivation from passwords: PKCS #12's own (RFC 7292 appendix B.2), and PBKDF2 (RFC 8018 section
5.2)."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Self

from keyturn_shared.keystores import asn1
from keyturn_shared.keystores.errors import LimitExceededError, MalformedFileError, UnsupportedAlgorithmError
from keyturn_shared.keystores.limits import MAX_SALT_BYTES, DerivationBudget
from keyturn_shared.keystores.pkcs12.algorithm_names import CONVERT, name_of
from keyturn_shared.keystores.pkcs12.identifiers import HMACS, PBKDF2
from keyturn_shared.secret import Secret


class Purpose(IntEnum):
    """Purpose of derived octets (RFC 7292 appendix B.3)."""

    KEY = 1
    INITIALISATION_VECTOR = 2
    MAC = 3


@dataclass(frozen=True, slots=True)
class Pkcs12Derivation:
    """The parameters of the older schemes. ``digest``: hashlib's name."""

    digest: str
    salt: bytes
    iterations: int

    @classmethod
    def parse(cls, parameters: asn1.Reader, digest: str) -> Self:
        """Parse pkcs-12PbeParams (RFC 7292 appendix C)."""
        return cls(digest, checked_salt(parameters.octets()), checked_iterations(parameters.integer()))

    def derive(
        self, password: Secret | None, purpose: Purpose, length: int, budget: DerivationBudget
    ) -> bytes:
        """Derive ``length`` octets for a purpose. Raises LimitExceededError before anything is computed."""
        new_hash: Callable[[bytes], Any] = getattr(hashlib, self.digest)  # hashlib names no type for it
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
    """The parameters of PBKDF2. ``digest``: of its HMAC, hashlib's name. ``key_length``: if the parameters
    name it."""

    digest: str
    salt: bytes
    iterations: int
    key_length: int | None = None

    @classmethod
    def parse(cls, algorithm: asn1.Reader) -> Self:
        """Parse the AlgorithmIdentifier of a key derivation function, which must be PBKDF2."""
        if (identifier := algorithm.identifier()) != PBKDF2:
            raise UnsupportedAlgorithmError(
                f"the key derivation {name_of(identifier)} instead of PBKDF2; {CONVERT}"
            )
        parameters = algorithm.sequence()
        salt, iterations = parameters.octets(), parameters.integer()
        key_length = None
        if (content := parameters.optional(asn1.INTEGER)) is not None:
            key_length = int.from_bytes(content[:4], "big")
        digest = "sha1"
        if not parameters.at_end:
            hmac_identifier = parameters.sequence().identifier()
            name = HMACS.get(hmac_identifier)
            if name is None:
                raise UnsupportedAlgorithmError(f"PBKDF2 with {name_of(hmac_identifier)}; {CONVERT}")
            digest = name
        return cls(digest, checked_salt(salt), checked_iterations(iterations), key_length)

    def derive(self, password: Secret | None, length: int, budget: DerivationBudget) -> bytes:
        """Derive ``length`` octets. Raises LimitExceededError before anything is computed."""
        if self.key_length not in (None, length):
            raise MalformedFileError("a derived key of the wrong length for its cipher")
        digest_size = hashlib.new(self.digest).digest_size
        budget.spend(-(-length // digest_size) * self.iterations)
        octets = b"" if password is None else password.reveal().encode("utf-8", "surrogatepass")
        return hashlib.pbkdf2_hmac(self.digest, octets, self.salt, self.iterations, length)


def bmp_password(password: Secret | None) -> bytes:
    """Encode a password as PKCS #12 hashes it: UTF-16, big-endian, with a terminating zero (RFC 7292 appendix
    B.1). None means no password, and encodes to nothing."""
    if password is None:
        return b""
    return (password.reveal() + "\0").encode("utf-16-be", "surrogatepass")


def checked_salt(salt: bytes) -> bytes:
    """Return the salt. Raises LimitExceededError if it would make hashing expensive."""
    if len(salt) > MAX_SALT_BYTES:
        raise LimitExceededError(f"a salt has {len(salt)} bytes; at most {MAX_SALT_BYTES} are allowed")
    return salt


def checked_iterations(iterations: int) -> int:
    """Return the number. Raises MalformedFileError if it is zero; the budget limits its size."""
    if iterations < 1:
        raise MalformedFileError("an iteration count of zero")
    return iterations


def _filled(octets: bytes, block_size: int) -> bytes:
    """Repeat the octets to fill up the last block."""
    size = -(-len(octets) // block_size) * block_size
    return (octets * (size // len(octets) + 1))[:size] if octets else b""


def _added(state: bytes, octets: bytes, block_size: int) -> bytes:
    """Add to each block of the state the octets repeated to a block, plus one, modulo the block size."""
    addend = int.from_bytes(_filled(octets, block_size)[:block_size], "big") + 1
    modulus = 1 << 8 * block_size
    return b"".join(
        ((int.from_bytes(state[i : i + block_size], "big") + addend) % modulus).to_bytes(block_size, "big")
        for i in range(0, len(state), block_size)
    )
