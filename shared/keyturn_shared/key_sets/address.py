"""The address of a key set, and its name in the fleet."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from keyturn_shared.jose import base64url

HOST_CHARACTERS = 8
"""The first characters of an id stand for the host, so that Redis can count fetches per host."""


@dataclass(frozen=True, slots=True)
class KeySetAddress:
    """A JWKS URL, and the private networks that the realm allows it to reach.

    The networks are part of the identity: a key set that one realm fetched from a private network is not
    shared with other realms, and is no longer used when the realm stops allowing the network. Realms without
    such networks, which is usual, share one key set per URL.
    """

    url: str
    networks: tuple[str, ...] = ()
    id: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        identity = "\n".join((self.url, *self.networks))
        object.__setattr__(self, "id", f"{_digest(host_of(self.url))[:HOST_CHARACTERS]}{_digest(identity)}")

    @classmethod
    def of(cls, url: str, networks: Iterable[str] = ()) -> Self:
        """Make the address, with the networks in canonical order."""
        return cls(url, tuple(sorted(set(networks))))


def host_of(url: str) -> str:
    """Return the host of a URL in lower case; empty if it has none, which the fetcher will refuse."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _digest(text: str) -> str:
    return base64url.encode_text(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
