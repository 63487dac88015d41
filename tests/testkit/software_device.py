"""A device in memory that wraps keys as RFC 3394 says, by another library than a token's."""

import os
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from keyturn_shared.key_wrapping import KeyWrappingError


@dataclass
class SoftwareDevice:
    """``keks``: by id. ``labels``: the ids by label. ``sessions``: opened and not closed."""

    keks: dict[bytes, bytes] = field(default_factory=dict)
    labels: dict[str, bytes] = field(default_factory=dict)
    sessions: int = 0

    def open(self) -> None:
        self.sessions += 1

    def find_kek(self, label: str) -> bytes:
        if label not in self.labels:
            raise KeyWrappingError(f"no key encryption key {label!r}")
        return self.labels[label]

    def generate_kek(self, label: str) -> bytes:
        if label in self.labels:
            raise KeyWrappingError(f"there is a key {label!r} already")
        made = self.labels[label] = os.urandom(16)
        self.keks[made] = os.urandom(32)
        return made

    def generate(self, kek_id: bytes) -> bytes:
        return self.wrap(kek_id, os.urandom(32))

    def wrap(self, kek_id: bytes, key: bytes) -> bytes:
        return aes_key_wrap(self._kek(kek_id), key)

    def unwrap(self, kek_id: bytes, wrapped: bytes) -> bytes:
        try:
            return aes_key_unwrap(self._kek(kek_id), wrapped)
        except InvalidUnwrap:
            raise KeyWrappingError("it does not unwrap") from None

    def close(self) -> None:
        self.sessions -= 1

    def _kek(self, kek_id: bytes) -> bytes:
        if kek_id not in self.keks:
            raise KeyWrappingError(f"no key encryption key with the id {kek_id.hex()}")
        return self.keks[kek_id]
