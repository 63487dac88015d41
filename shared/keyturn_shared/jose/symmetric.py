"""A client's secret as the MAC key of client_secret_jwt (OpenID Connect Core section 9)."""

from typing import Never

from keyturn_shared.jose.algorithms import HMAC_ALGORITHMS, Algorithm, HmacAlgorithm
from keyturn_shared.jose.errors import AlgorithmNotAllowedError, InvalidKeyError, KeyRefusal
from keyturn_shared.secret import Secret


class SymmetricKey:
    """The octets of a secret, for HMAC only; never printed, never pickled.

    RFC 7518 3.2: a key must be at least as long as the MAC. A secret of 32 to 47 octets therefore fits HS256
    only, one of 48 to 63 also HS384, and one of 64 all three.
    """

    __slots__ = ("_octets", "algorithms")

    def __init__(self, secret: Secret) -> None:
        """Make the key. Raises InvalidKeyError for a secret of fewer than 32 octets in UTF-8."""
        self._octets = secret.reveal().encode()
        self.algorithms: tuple[HmacAlgorithm, ...] = tuple(
            algorithm for algorithm in HMAC_ALGORITHMS if len(self._octets) >= algorithm.size
        )
        if not self.algorithms:
            raise InvalidKeyError(KeyRefusal.WEAK, f"a secret of {len(self._octets)} bytes for HMAC")

    def verify(self, algorithm: Algorithm, mac: bytes, signing_input: bytes) -> None:
        """Raise AlgorithmNotAllowedError unless this key is long enough for the algorithm, which must be an
        HMAC, and BadSignatureError if the MAC is wrong."""
        if not isinstance(algorithm, HmacAlgorithm) or algorithm not in self.algorithms:
            raise AlgorithmNotAllowedError(f"{algorithm.name} with a secret of {len(self._octets)} bytes")
        algorithm.verify(self._octets, mac, signing_input)

    def __repr__(self) -> str:
        return f"SymmetricKey({Secret.MASK!r})"

    def __reduce__(self) -> Never:
        raise TypeError("a SymmetricKey is never serialised")
