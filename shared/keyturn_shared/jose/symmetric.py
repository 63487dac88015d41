"""A client's secret as the MAC key of client_secret_jwt (OpenID Connect Core section 9)."""

from typing import Never

from keyturn_shared.jose.algorithms import HMAC_ALGORITHMS, Algorithm, HmacAlgorithm
from keyturn_shared.jose.errors import AlgorithmNotAllowedError, InvalidKeyError, KeyRefusal
from keyturn_shared.secret import Secret


class SymmetricKey:
    """The octets of a secret, for HMAC only; never printed, never pickled.

    RFC 7518 3.2: a key has at least as many octets as the MAC. A secret of 32 to 47 octets is therefore good
    for HS256 only, one of 48 to 63 for HS384 too, and all three take 64.
    """

    __slots__ = ("_octets", "algorithms")

    def __init__(self, secret: Secret) -> None:
        """Raises InvalidKeyError for a secret of fewer than 32 octets in UTF-8."""
        self._octets = secret.reveal().encode()
        self.algorithms: tuple[HmacAlgorithm, ...] = tuple(
            algorithm for algorithm in HMAC_ALGORITHMS if len(self._octets) >= algorithm.size
        )
        if not self.algorithms:
            raise InvalidKeyError(KeyRefusal.WEAK, f"a secret of {len(self._octets)} octets for HMAC")

    def verify(self, algorithm: Algorithm, mac: bytes, signing_input: bytes) -> None:
        """Raise AlgorithmNotAllowedError unless it is an HMAC this key is long enough for, else
        BadSignatureError if the MAC does not hold."""
        self._allowed(algorithm).verify(self._octets, mac, signing_input)

    def sign(self, algorithm: Algorithm, signing_input: bytes) -> bytes:
        """The MAC. Raises AlgorithmNotAllowedError, as ``verify``."""
        return self._allowed(algorithm).sign(self._octets, signing_input)

    def _allowed(self, algorithm: Algorithm) -> HmacAlgorithm:
        if not isinstance(algorithm, HmacAlgorithm) or algorithm not in self.algorithms:
            raise AlgorithmNotAllowedError(f"{algorithm.name} with a secret of {len(self._octets)} octets")
        return algorithm

    def __repr__(self) -> str:
        return f"SymmetricKey({Secret.MASK!r})"

    def __reduce__(self) -> Never:
        raise TypeError("a SymmetricKey is not serialised")
