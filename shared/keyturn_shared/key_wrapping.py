"""Envelope encryption of the rings' keys: each may be given wrapped under a key encryption key (KEK), which
never leaves its device.

A wrapped key is written ``A256KW.<KEK id>.<key id>.<wrapped>``: AES Key Wrap (RFC 3394) with a KEK of 256
bits, named as in RFC 7518; the id of the KEK in its device, in hexadecimal digits; the id that the ring gives
the key; and 40 bytes as base64url. The key's id is derived from the key and from the purpose of its ring, so
a key under another id, or in another ring, is found once it is unwrapped.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol, Self

from keyturn_shared.errors import ConfigurationError
from keyturn_shared.jose import base64url
from keyturn_shared.jose.errors import MalformedError
from keyturn_shared.sealing import WRAPPED, KeyRing

KEY_BYTES: Final = 32
"""Length of a ring's key, and of a KEK."""
_WRAPPED_BYTES: Final = KEY_BYTES + 8
_FORM: Final = re.compile(r"A256KW\.((?:[0-9a-f]{2}){1,64})\.([0-9a-f]{8})\.([A-Za-z0-9_-]+)")


class KeyWrappingError(ConfigurationError):
    """A key could not be wrapped or unwrapped. ``detail`` never has a key or a PIN."""

    code = "key_wrapping"


class KeyWrapping(Protocol):
    """A device that wraps and unwraps keys under its KEKs. Every method raises KeyWrappingError."""

    def open(self) -> None:
        """Begin a session with the device, in which the PIN is given."""
        ...

    def find_kek(self, label: str) -> bytes:
        """Return the id of the KEK with this label."""
        ...

    def generate_kek(self, label: str) -> bytes:
        """Generate a KEK that cannot leave the device, and return its id."""
        ...

    def generate(self, kek_id: bytes) -> bytes:
        """Generate a key of 32 bytes in the device, and return it wrapped."""
        ...

    def wrap(self, kek_id: bytes, key: bytes) -> bytes:
        """Return the key wrapped."""
        ...

    def unwrap(self, kek_id: bytes, wrapped: bytes) -> bytes:
        """Return the key."""
        ...

    def close(self) -> None:
        """End the session."""
        ...


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A wrapped key of a ring, without the KEK that unwraps it no secret."""

    kek_id: bytes
    key_id: str
    wrapped: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the written form. Raises KeyWrappingError."""
        match = _FORM.fullmatch(text)
        try:
            wrapped = base64url.decode_text(match[3]) if match is not None else b""
        except MalformedError:
            wrapped = b""
        if match is None or len(wrapped) != _WRAPPED_BYTES:
            raise KeyWrappingError("not what `keyturn key-wrapping` prints: it was cut off or altered")
        return cls(bytes.fromhex(match[1]), match[2], wrapped)

    @classmethod
    def generated_by(cls, device: KeyWrapping, kek_id: bytes, purpose: str) -> Self:
        """Let the device generate a key for the ring of this purpose. Raises KeyWrappingError."""
        wrapped = device.generate(kek_id)
        return cls(kek_id, key_id_of(device.unwrap(kek_id, wrapped), purpose), wrapped)

    @classmethod
    def wrapped_by(cls, device: KeyWrapping, kek_id: bytes, key: bytes, purpose: str) -> Self:
        """Let the device wrap a key of the ring of this purpose, and check that it unwraps it. Raises
        KeyWrappingError."""
        made = cls(kek_id, key_id_of(key, purpose), device.wrap(kek_id, key))
        made.unwrapped_by(device, purpose)
        return made

    def unwrapped_by(self, device: KeyWrapping, purpose: str) -> bytes:
        """Let the device unwrap it. Raises KeyWrappingError, also for the key of another id or ring."""
        key = device.unwrap(self.kek_id, self.wrapped)
        if len(key) != KEY_BYTES or key_id_of(key, purpose) != self.key_id:
            raise KeyWrappingError(
                f"it unwraps, but not to the {purpose} key {self.key_id}: its id was altered, or it is the"
                " key of another ring"
            )
        return key

    def __str__(self) -> str:
        return f"{WRAPPED}{self.kek_id.hex()}.{self.key_id}.{base64url.encode_text(self.wrapped)}"


def key_id_of(key: bytes, purpose: str) -> str:
    """Return the id that a ring of this purpose gives a key. Raises ConfigurationError."""
    return KeyRing([key], purpose=purpose).current_key_id


def elements_of(text: str) -> list[str]:
    """Split the text of a ring into its keys, plain and wrapped."""
    return [part.strip() for part in text.split(",")]


def is_wrapped(element: str) -> bool:
    """Return whether this key of a ring is wrapped."""
    return element.startswith(WRAPPED)


def joined(elements: Iterable[str]) -> str:
    """Return the text of a ring."""
    return ",".join(elements)
