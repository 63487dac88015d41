"""The log's keys: Ed25519 (RFC 8032), lists that can be rotated online.

The first private key signs. Every public key is trusted, so a new one is published everywhere before it
signs, and an old one is removed when no signature of it is left.
"""

import hashlib
import os
from collections.abc import Iterable
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keyturn_shared.errors import ConfigurationError
from keyturn_shared.jose import base64url
from keyturn_shared.jose.errors import MalformedError
from keyturn_shared.signed_log.errors import ForgedError, UntrustedKeyError

_KEY_OCTETS: Final = 32
_ID_CHARACTERS: Final = 8
_SIGNATURE_OCTETS: Final = 64
FETCHER: Final = "key-set-signing"
"""Purpose of the keys that sign fetched key sets."""
AUDIT: Final = "encryption/audit-signing"
"""Label of the keys that sign statements about the audit log: they are made of the encryption keys."""

SIGNATURE_CHARACTERS: Final = _ID_CHARACTERS + 1 + 86
"""Length of a signature as text, ``<key id>.<base64url>``. It is always the same."""


class LogVerificationKeys:
    """Public keys. A signature names its key, so that checking takes one attempt."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        """Load the keys. Raises ConfigurationError if the list is empty or a key is invalid."""
        self._keys: dict[bytes, Ed25519PublicKey] = {}
        try:
            for key in keys:
                self._keys[_id_of(key)] = Ed25519PublicKey.from_public_bytes(key)
        except ValueError as error:
            raise ConfigurationError("a verification key is not an Ed25519 public key") from error
        if not self._keys:
            raise ConfigurationError("no Ed25519 verification key is set")

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Parse comma-separated base64url keys of 32 bytes each. Raises ConfigurationError."""
        return cls(_octets_of(text, "verification"))

    def verify(self, message: bytes, signature: bytes) -> None:
        """Raise ForgedError unless a trusted key has signed this message; UntrustedKeyError, which is one, if
        the signature names another key."""
        key_id, _, encoded = signature.partition(b".")
        key = self._keys.get(key_id)
        if key is None:
            raise UntrustedKeyError("signed by a key that is not trusted")
        try:
            octets = base64url.decode(encoded)
            if len(octets) != _SIGNATURE_OCTETS:
                raise ForgedError("a signature of the wrong length")
            key.verify(octets, message)
        except (InvalidSignature, MalformedError) as error:
            raise ForgedError("the signature is invalid") from error

    def __repr__(self) -> str:
        return f"LogVerificationKeys({[key.decode() for key in self._keys]})"


class LogSigningKeys:
    """Private keys, which only the credentials service has."""

    def __init__(self, seeds: Iterable[bytes]) -> None:
        """Load the keys. Raises ConfigurationError if the list is empty or a seed has another length."""
        keys = []
        for seed in seeds:
            if len(seed) != _KEY_OCTETS:
                raise ConfigurationError(f"an Ed25519 signing key has {len(seed)} bytes, not {_KEY_OCTETS}")
            keys.append(Ed25519PrivateKey.from_private_bytes(seed))
        if not keys:
            raise ConfigurationError("no Ed25519 signing key is set")
        self._first = keys[0]
        self._public = [key.public_key().public_bytes_raw() for key in keys]
        self._prefix = _id_of(self._public[0]) + b"."

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Parse comma-separated base64url seeds of 32 bytes each. Raises ConfigurationError."""
        return cls(_octets_of(text, "signing"))

    @classmethod
    def derived_from(cls, fleet_keys: str, purpose: str = "log-signing") -> Self:
        """Derive the keys of a deployment without keys of its own: any holder of the fleet keys has them."""
        return cls.expanded_from(_octets_of(fleet_keys, "fleet"), f"fleet/{purpose}")

    @classmethod
    def expanded_from(cls, keys: Iterable[bytes], label: str) -> Self:
        """Derive a key for a purpose from each of these by HKDF (RFC 5869), in the same order."""
        info = f"keyturn/{label}".encode()
        return cls(HKDF(SHA256(), _KEY_OCTETS, salt=None, info=info).derive(key) for key in keys)

    @staticmethod
    def generate_key() -> str:
        """Generate a private key in the format of the settings: base64url of 32 random bytes."""
        return base64url.encode_text(os.urandom(_KEY_OCTETS))

    def sign(self, message: bytes) -> bytes:
        return self._prefix + base64url.encode(self._first.sign(message))

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Return the ids of its keys, as signatures name them."""
        return tuple(_id_of(key).decode() for key in self._public)

    @property
    def current_key_id(self) -> str:
        """Return the id of the key that signs."""
        return self._prefix[:-1].decode()

    def is_current(self, signature: bytes) -> bool:
        """Return whether the signature names the first key. It is not verified."""
        return signature.startswith(self._prefix)

    @property
    def public_keys(self) -> str:
        """Return the public keys in the format of readers' settings."""
        return ",".join(base64url.encode_text(key) for key in self._public)

    def verification(self) -> LogVerificationKeys:
        return LogVerificationKeys(self._public)

    def first_alone(self) -> LogVerificationKeys:
        """Return the public key of the key that signs now."""
        return LogVerificationKeys(self._public[:1])

    def __repr__(self) -> str:
        return f"LogSigningKeys({[_id_of(key).decode() for key in self._public]})"


def _id_of(public_key: bytes) -> bytes:
    return hashlib.sha256(b"keyturn/log-key-id/" + public_key).hexdigest()[:_ID_CHARACTERS].encode()


def _octets_of(text: str, kind: str) -> list[bytes]:
    try:
        keys = [base64url.decode_text(part.strip()) for part in text.split(",") if part.strip()]
    except MalformedError as error:
        raise ConfigurationError(f"an Ed25519 {kind} key is not base64url") from error
    if any(len(key) != _KEY_OCTETS for key in keys):
        raise ConfigurationError(f"an Ed25519 {kind} key does not have {_KEY_OCTETS} bytes")
    return keys
