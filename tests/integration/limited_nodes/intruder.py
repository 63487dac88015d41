"""An attacker who took over a node, and reads all of Redis: everything that can be tried with both."""

import hashlib
import hmac
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keyturn_shared.jose import base64url

_MADE = re.compile(r"\b1\.[0-9a-f]{8,12}\.([A-Za-z0-9_-]{43,})")
_KID = re.compile(r'"kid": ?"([^"]+)"')
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DIGEST_CHARACTERS = 43
_PURPOSES = ("fleet", "realm", "encryption")
_LABELS = ("seal", "digest", "id")
_OTHERS = ("keyturn/fleet/log-signing", "keyturn/fleet/key-set-signing")


@dataclass(frozen=True)
class Intruder:
    """``redis``: its whole content. ``keys``: all keys found, and all that can be derived."""

    redis: str
    keys: frozenset[bytes]

    @classmethod
    def with_keys(cls, redis: str, held: Iterable[bytes]) -> "Intruder":
        infos = [f"keyturn/{purpose}/{label}" for purpose in _PURPOSES for label in _LABELS]
        infos += [*_OTHERS, *(f"keyturn/fleet/realm/{each}" for each in set(_UUID.findall(redis)))]
        keys = set(held)
        for _ in range(2):
            keys |= {_derived(key, info) for key in keys for info in infos}
        return cls(redis, frozenset(keys))

    def opened(self) -> set[str]:
        """Return everything encrypted that any key decrypts in any context."""
        found: set[str] = set()
        ciphers = [AESGCM(key) for key in self.keys]
        for value in self._made():
            octets = base64url.decode_text(value)
            for cipher, context in itertools.product(ciphers, self._contexts()):
                try:
                    found.add(cipher.decrypt(octets[:12], octets[12:], context.encode()).decode())
                except InvalidTag:
                    continue
        return found

    def recognized(self, guess: str) -> set[str]:
        """Return the contexts whose digest matches this secret."""
        digests = {value for value in self._made() if len(value) == _DIGEST_CHARACTERS}
        return {
            context
            for key, context in itertools.product(self.keys, self._contexts())
            if base64url.encode_text(_digest(key, context, guess)) in digests
        }

    def public_halves(self) -> set[str]:
        """Return the public halves of all keys, if used for signing."""
        return {
            base64url.encode_text(Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw())
            for key in self.keys
        }

    def _made(self) -> set[str]:
        return set(_MADE.findall(self.redis))

    def _contexts(self) -> Iterator[str]:
        for kid in set(_KID.findall(self.redis)):
            yield f"signing-key:{kid}"
        for uuid in set(_UUID.findall(self.redis)):
            yield f"client-secret:{uuid}"


def _derived(key: bytes, info: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=info.encode()).derive(key)


def _digest(key: bytes, context: str, secret: str) -> bytes:
    prefix = len(context.encode()).to_bytes(4, "big") + context.encode()
    return hmac.digest(key, prefix + secret.encode(), hashlib.sha256)
