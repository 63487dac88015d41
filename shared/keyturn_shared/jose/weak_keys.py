"""Well-formed keys that prove nothing, or cost too much to verify with."""

from typing import Final

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from keyturn_shared.jose.algorithms import PublicKey
from keyturn_shared.jose.errors import InvalidKeyError, KeyRefusal

MIN_RSA_BITS: Final = 2048  # RFC 7518 3.3
MAX_RSA_BITS: Final = 8192  # the time to verify grows with its square
MAX_RSA_EXPONENT: Final = 2**32

_ED25519_PRIME: Final = 2**255 - 19
# The y coordinates of the eight points of small order, without the sign bit: with such a key, one signature
# is valid for many messages. libsodium refuses them, OpenSSL does not.
_ORDER_8_Y: Final = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDER_Y: Final = frozenset({0, 1, _ED25519_PRIME - 1, _ORDER_8_Y, _ED25519_PRIME - _ORDER_8_Y})

# Infineon's generator (CVE-2017-15361, "ROCA") made primes that are powers of 65537 modulo a product of small
# primes, so its moduli are too, modulo each of them. Any other modulus passes all tests with a probability of
# about 2**-27.
_ROCA_PRIMES: Final = (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)
_ROCA_RESIDUES: Final = tuple(
    (prime, frozenset(pow(65537, exponent, prime) for exponent in range(prime))) for prime in _ROCA_PRIMES
)


def refuse_weak(key: PublicKey) -> None:
    """Raise InvalidKeyError for a weak or oversized key. Points are already known to be on their curve."""
    if isinstance(key, rsa.RSAPublicKey):
        _refuse_weak_rsa(key)
    elif isinstance(key, ed25519.Ed25519PublicKey):
        _refuse_weak_ed25519(key)


def _refuse_weak_rsa(key: rsa.RSAPublicKey) -> None:
    if key.key_size < MIN_RSA_BITS:
        raise InvalidKeyError(KeyRefusal.WEAK, f"RSA of {key.key_size} bits")
    if key.key_size > MAX_RSA_BITS:
        raise InvalidKeyError(KeyRefusal.TOO_LARGE, f"RSA of {key.key_size} bits")
    numbers = key.public_numbers()
    if numbers.n % 2 == 0 or numbers.e % 2 == 0 or not 3 <= numbers.e <= MAX_RSA_EXPONENT:
        raise InvalidKeyError(KeyRefusal.WEAK, "an RSA modulus or exponent that no key generator produces")
    if all(numbers.n % prime in residues for prime, residues in _ROCA_RESIDUES):
        raise InvalidKeyError(KeyRefusal.WEAK, "an RSA modulus that can be factored (CVE-2017-15361)")


def _refuse_weak_ed25519(key: ed25519.Ed25519PublicKey) -> None:
    y = int.from_bytes(key.public_bytes_raw(), "little") & (2**255 - 1)
    if y >= _ED25519_PRIME:  # RFC 8032 5.1.3
        raise InvalidKeyError(KeyRefusal.INVALID, "an Ed25519 point that is not reduced")
    if y in _SMALL_ORDER_Y:
        raise InvalidKeyError(KeyRefusal.WEAK, "an Ed25519 point of small order")
