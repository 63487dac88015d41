"""Search for secrets in data, in any encoding.

A needle is 12 bytes of a secret in one encoding. Fragments are taken from all along a secret, since lines of
PEM, pages of a database and blocks of a dump break it anywhere.
"""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

NEEDLE_BYTES = 12
_STEP = 8
_SHORTEST = 20


def numbers_of(key: PrivateKeyTypes) -> list[bytes]:
    """Return the secret numbers of a private key, big-endian, as in every encoding of it."""
    if isinstance(key, rsa.RSAPrivateKey):
        private = key.private_numbers()
        numbers = (private.d, private.p, private.q, private.dmp1, private.dmq1, private.iqmp)
        return [number.to_bytes((number.bit_length() + 7) // 8, "big") for number in numbers]
    if isinstance(key, ec.EllipticCurvePrivateKey):
        number = key.private_numbers().private_value
        return [number.to_bytes((key.key_size + 7) // 8, "big")]
    assert isinstance(key, ed25519.Ed25519PrivateKey)
    return [key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())]


@dataclass
class Needles:
    """Needles, each with the name of its secret."""

    names: dict[bytes, str] = field(default_factory=dict)

    def add_text(self, name: str, secret: str) -> None:
        """Add a password, a client secret, or a token."""
        assert len(secret) >= _SHORTEST, f"{name} is too short to be told from chance"
        for text in (secret, secret.encode("utf-16-le").decode("latin-1")):
            for fragment in _fragments(text.encode("latin-1")):
                self._add(name, fragment)
        self._add_encoded(name, secret.encode())

    def add_key(self, name: str, key: PrivateKeyTypes) -> None:
        self.add_numbers(name, numbers_of(key))

    def add_numbers(self, name: str, numbers: Iterable[bytes]) -> None:
        for number in numbers:
            for fragment in _fragments(number):
                self._add(name, fragment)
            self._add_encoded(name, number)

    def found_in(self, data: bytes) -> set[str]:
        """Return the names of the secrets with a fragment in the data."""
        names, size = self.names, NEEDLE_BYTES
        return {
            names[piece]
            for start in range(len(data) - size + 1)
            if (piece := data[start : start + size]) in names
        }

    def _add(self, name: str, fragment: bytes) -> None:
        self.names.setdefault(fragment, name)

    def _add_encoded(self, name: str, data: bytes) -> None:
        for text in _texts(data):
            for fragment in _fragments(text):
                self._add(name, fragment)
                self._add(name, fragment.decode("ascii").encode("utf-16-le")[:NEEDLE_BYTES])


def _texts(data: bytes) -> Iterator[bytes]:
    """Yield hexadecimal and both alphabets of base64, for each offset in a group of three bytes."""
    yield data.hex().encode()
    yield data.hex().upper().encode()
    for shift in range(3):
        # The characters at either end also encode neighbouring bits.
        whole = base64.b64encode(bytes(shift) + data)[4 if shift else 0 : -4]
        yield whole
        yield whole.translate(bytes.maketrans(b"+/", b"-_"))


def _fragments(data: bytes) -> Iterable[bytes]:
    """Yield overlapping pieces of a needle's length, from all along the data."""
    last = len(data) - NEEDLE_BYTES
    return [data[start : start + NEEDLE_BYTES] for start in (*range(0, last, _STEP), max(last, 0))]
