"""Key rings that protect each realm's secrets and signing keys on their way to the nodes.

A realm key is derived from each fleet key and the realm's id by HKDF (RFC 5869). It reveals neither the fleet
key nor another realm's key. A holder of the fleet keys has the rings of all realms; a node may be given the
keys of some realms instead.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Final, Protocol, Self
from urllib.parse import quote, unquote

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keyturn_shared.errors import ConfigurationError
from keyturn_shared.jose import base64url
from keyturn_shared.jose.errors import MalformedError
from keyturn_shared.sealing import KeyRing, SealError, keys_from_text

_KEY_OCTETS: Final = 32
_ID_CHARACTERS: Final = 12
_REMEMBERED: Final = 4096
"""Derived rings kept in memory; deriving one takes a tenth of a millisecond."""
_UNREADABLE: Final = "not what `keyturn realm-keys` prints"


class RealmRings(Protocol):
    """Finds the ring of a realm by the realm's id: names can be reused, ids cannot."""

    def find(self, realm_id: str) -> KeyRing | None:
        """Return the ring, or None for a realm whose keys are not here."""
        ...

    def require(self, realm_id: str) -> KeyRing:
        """Return the ring. Raises SealError for a realm whose keys are not here."""
        ...


class FleetRing(KeyRing):
    """The fleet keys, with the rings of all realms.

    A realm's ring decrypts values under its own keys and under the fleet keys themselves. ``by_realm``:
    encrypt and digest under the realm's keys instead of the fleet keys.
    """

    def __init__(
        self,
        keys: Iterable[bytes],
        *,
        purpose: str = "fleet",
        by_realm: bool = False,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._keys = list(keys)
        super().__init__(self._keys, purpose=purpose, random=random)
        self.by_realm = by_realm
        self._ring_of = lru_cache(maxsize=_REMEMBERED)(self._derive_ring)

    @classmethod
    def read(cls, text: str, *, by_realm: bool = False) -> Self:
        """Parse comma-separated base64url keys of 32 bytes each. Raises ConfigurationError."""
        return cls(keys_from_text(text, "fleet"), by_realm=by_realm)

    def find(self, realm_id: str) -> KeyRing:
        return self._ring_of(realm_id)

    def require(self, realm_id: str) -> KeyRing:
        return self._ring_of(realm_id)

    def keys_of(self, realm_id: str) -> str:
        """Return the keys of a realm, one per fleet key in the same order, in the format of
        ``LimitedRings``."""
        return _as_text(realm_id, self._derived(realm_id))

    def _derive_ring(self, realm_id: str) -> KeyRing:
        own = _ring(self._derived(realm_id), self._random)
        return own.opening_too(self) if self.by_realm else self.opening_too(own)

    def _derived(self, realm_id: str) -> list[bytes]:
        info = b"keyturn/fleet/realm/" + realm_id.encode()
        return [HKDF(SHA256(), _KEY_OCTETS, salt=None, info=info).derive(key) for key in self._keys]


class LimitedRings:
    """The rings of named realms, for a process without the fleet keys."""

    def __init__(self, rings: Mapping[str, KeyRing]) -> None:
        self._rings = rings

    @classmethod
    def from_text(cls, text: str) -> "LimitedRings":
        """Parse the output of ``FleetRing.keys_of`` for several realms, separated by commas. Raises
        ConfigurationError, which shows nothing of the text."""
        rings: dict[str, KeyRing] = {}
        for part in text.split(","):
            quoted, *keys = part.strip().split(":")
            realm_id = unquote(quoted)
            if not realm_id or not keys:
                raise ConfigurationError(_UNREADABLE)
            if realm_id in rings:
                raise ConfigurationError(f"the realm {realm_id[:40]} is listed twice")
            rings[realm_id] = _ring([_octets(key) for key in keys], os.urandom)
        return cls(rings)

    def find(self, realm_id: str) -> KeyRing | None:
        return self._rings.get(realm_id)

    def require(self, realm_id: str) -> KeyRing:
        ring = self._rings.get(realm_id)
        if ring is None:
            raise SealError("the keys of this realm are not configured")
        return ring

    def __repr__(self) -> str:
        return f"LimitedRings({list(self._rings)})"


def _ring(keys: Iterable[bytes], random: Callable[[int], bytes]) -> KeyRing:
    return KeyRing(keys, purpose="realm", id_characters=_ID_CHARACTERS, random=random)


def _as_text(realm_id: str, keys: Iterable[bytes]) -> str:
    return ":".join((quote(realm_id, safe=""), *map(base64url.encode_text, keys)))


def _octets(text: str) -> bytes:
    try:
        key = base64url.decode_text(text)
    except MalformedError as error:
        raise ConfigurationError(_UNREADABLE) from error
    if len(key) != _KEY_OCTETS:
        raise ConfigurationError(_UNREADABLE)
    return key
