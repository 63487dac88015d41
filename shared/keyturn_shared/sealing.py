"""Authenticated encryption and keyed digests under a ring of keys that can be rotated online.

A ring is a list of 32-byte keys: the first one encrypts and digests, all of them decrypt and compare. Two
rings exist and never share a key: the encryption keys (the credentials service's own, for the database) and
the fleet keys (shared with the verifiers, for the contents of projections). ``realm_rings`` derives from the
latter a ring for each realm.
"""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keyturn_shared.errors import ConfigurationError, KeyturnError

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_VERSION: Final = "1"
WRAPPED: Final = "A256KW."
"""Begin of a wrapped key in the text of a ring: see ``key_wrapping``."""


class SealError(KeyturnError):
    """An encrypted value could not be decrypted: wrong key, wrong context, or altered."""

    code = "seal_broken"


@dataclass(frozen=True, slots=True)
class _RingKey:
    key_id: str
    cipher: AESGCM
    digest_key: bytes

    def __repr__(self) -> str:
        return f"_RingKey({self.key_id!r})"


class KeyRing:
    """Encrypts and digests under the first of its keys, decrypts and compares under any.

    An encrypted value is ``1.<key id>.<base64url(nonce || AES-256-GCM ciphertext || tag)>``; a digest is
    ``1.<key id>.<base64url(HMAC-SHA256)>``. The context (for example ``client:<uuid>``) is authenticated with
    both, so a value moved to another row or client does not decrypt or match.
    """

    def __init__(
        self,
        keys: Iterable[bytes],
        *,
        purpose: str,
        id_characters: int = 8,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """``id_characters``: hexadecimal length of the keys' ids. Kinds of keys that one ring may combine
        have ids of different lengths, so that none is taken for another's."""
        ring = [_derive(key, purpose, id_characters) for key in keys]
        if not ring:
            raise ConfigurationError(f"no {purpose} key is set")
        self._first = ring[0]
        self._by_id = {key.key_id: key for key in ring}
        self._random = random

    @classmethod
    def from_text(cls, text: str, *, purpose: str) -> Self:
        """Parse comma-separated base64url keys of 32 bytes each. Raises ConfigurationError."""
        return cls(keys_from_text(text, purpose), purpose=purpose)

    def opening_too(self, other: "KeyRing") -> "KeyRing":
        """Return a ring that encrypts like this one, and decrypts what either does."""
        joined = object.__new__(KeyRing)
        joined._first = self._first
        joined._by_id = other._by_id | self._by_id  # noqa: SLF001 - of the same class
        joined._random = self._random
        return joined

    @staticmethod
    def generate_key() -> str:
        """Generate a key in the format of the settings: base64url of 32 random bytes, without padding."""
        return _encode(os.urandom(_KEY_BYTES))

    @property
    def current_key_id(self) -> str:
        return self._first.key_id

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of its keys, in order. An id says nothing about its key."""
        return tuple(self._by_id)

    def seal(self, plaintext: bytes, context: str, *, like: str | None = None) -> str:
        """Encrypt. ``like``: an encrypted value whose key to use, if the ring has it, so that related values
        change keys together."""
        key = self._first
        if like is not None:
            key = self._by_id.get(self.key_id_of(like), key)
        nonce = self._random(_NONCE_BYTES)
        sealed = nonce + key.cipher.encrypt(nonce, plaintext, context.encode())
        return f"{_VERSION}.{key.key_id}.{_encode(sealed)}"

    def open(self, sealed: str, context: str) -> bytes:
        """Decrypt. Raises SealError when the key is gone, or value or context were altered."""
        key, body = self._split(sealed)
        try:
            return key.cipher.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError) as error:
            raise SealError("a sealed value does not open under its key and context") from error

    def knows(self, value: str) -> bool:
        """Return whether a key of this ring made an encrypted value or a digest."""
        return self.key_id_of(value) in self._by_id

    def is_current(self, sealed: str) -> bool:
        """Return whether the first key made it; other values are waiting to be re-encrypted."""
        return sealed.startswith(f"{_VERSION}.{self._first.key_id}.")

    @staticmethod
    def key_id_of(value: str) -> str:
        """Return the id of the key that made an encrypted value or a digest; nothing for what is neither."""
        return value.partition(".")[2].partition(".")[0]

    def digest(self, secret: str, context: str) -> str:
        """Return the HMAC-SHA256 of a secret in a context, for comparison without storing the secret."""
        return f"{_VERSION}.{self._first.key_id}.{_encode(_hmac(self._first, secret, context))}"

    def matches(self, secret: str, digest: str, context: str) -> bool:
        """Return whether the digest was made of this secret, compared in constant time."""
        key, expected = self._split(digest)
        return hmac.compare_digest(_hmac(key, secret, context), expected)

    def _split(self, value: str) -> tuple[_RingKey, bytes]:
        version, _, rest = value.partition(".")
        key_id, _, body = rest.partition(".")
        key = self._by_id.get(key_id)
        if version != _VERSION or key is None:
            raise SealError(f"no key {key_id!r} in the ring")
        return key, _decode(body)

    def __repr__(self) -> str:
        return f"KeyRing({list(self._by_id)})"


def keys_from_text(text: str, purpose: str) -> list[bytes]:
    """Parse comma-separated base64url keys of any length. Raises ConfigurationError, also for a wrapped key,
    which must be unwrapped before."""
    return [_decode_key(part.strip(), purpose) for part in text.split(",")]


def _a(purpose: str) -> str:
    return f"an {purpose}" if purpose[:1] in "aeiou" else f"a {purpose}"


def _derive(key: bytes, purpose: str, id_characters: int) -> _RingKey:
    if len(key) != _KEY_BYTES:
        raise ConfigurationError(f"{_a(purpose)} key has {len(key)} bytes, not {_KEY_BYTES}")

    def expand(label: str) -> bytes:
        return HKDF(SHA256(), _KEY_BYTES, salt=None, info=f"keyturn/{purpose}/{label}".encode()).derive(key)

    key_id = hashlib.sha256(expand("id")).hexdigest()[:id_characters]
    return _RingKey(key_id, AESGCM(expand("seal")), expand("digest"))


def _hmac(key: _RingKey, secret: str, context: str) -> bytes:
    # The length prefix separates (context, secret) pairs that would concatenate alike.
    prefix = len(context.encode()).to_bytes(4, "big") + context.encode()
    return hmac.digest(key.digest_key, prefix + secret.encode(), "sha256")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise SealError("a sealed value is not base64url") from error


def _decode_key(text: str, purpose: str) -> bytes:
    if text.startswith(WRAPPED):
        raise ConfigurationError(f"{_a(purpose)} key is wrapped, and nothing unwraps it here")
    try:
        return _decode(text)
    except SealError as error:
        raise ConfigurationError(f"{_a(purpose)} key is not base64url") from error
