"""The address of a key set, and its name in the fleet."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, Self
from urllib.parse import urlsplit

from keyturn_shared.jose import base64url

HOST_CHARACTERS = 8
"""The first characters of an id stand for the host, so that Redis can count fetches per host."""

Document = Literal["jwks", "openid-configuration", "spiffe-bundle"]
"""The content of a URL: a JWK Set; OpenID Provider metadata, whose ``jwks_uri`` has the keys; or a SPIFFE
bundle, whose keys have uses of their own."""


@dataclass(frozen=True, slots=True)
class KeySetAddress:
    """A JWKS URL, and the private networks that the realm allows it to reach. ``issuer``: the one that
    metadata must name.

    The networks are part of the identity: a key set that one realm fetched from a private network is not
    shared with other realms, and is no longer used when the realm stops allowing the network. Realms without
    such networks, which is usual, share one key set per URL.
    """

    url: str
    networks: tuple[str, ...] = ()
    document: Document = "jwks"
    issuer: str = ""
    id: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        read_as = () if self.document == "jwks" else (self.document, self.issuer)
        identity = "\n".join((*read_as, self.url, *self.networks))
        object.__setattr__(self, "id", f"{_digest(host_of(self.url))[:HOST_CHARACTERS]}{_digest(identity)}")

    @classmethod
    def of(
        cls, url: str, networks: Iterable[str] = (), *, document: Document = "jwks", issuer: str = ""
    ) -> Self:
        """Make the address, with the networks in canonical order."""
        return cls(url, tuple(sorted(set(networks))), document, issuer)


def host_of(url: str) -> str:
    """Return the host of a URL in lower case; empty if it has none, which the fetcher will refuse."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _digest(text: str) -> str:
    return base64url.encode_text(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
