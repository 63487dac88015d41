"""What a key set is fetched from, and under which name the fleet keeps it."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from keyturn_shared.jose import base64url

HOST_CHARACTERS = 8
"""The first characters of an id stand for the host, so that Redis can count fetches of one host."""


@dataclass(frozen=True, slots=True)
class KeySetAddress:
    """A JWKS URL, and the networks that the realm additionally allows it to be in.

    The networks are part of the identity: what one realm may fetch from an inside network is not there for
    the clients of another, and ends for its own when the realm no longer allows it. Realms that allow
    nothing of their own, which is the rule, share one key set per URL.
    """

    url: str
    networks: tuple[str, ...] = ()
    id: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        identity = "\n".join((self.url, *self.networks))
        object.__setattr__(self, "id", f"{_digest(host_of(self.url))[:HOST_CHARACTERS]}{_digest(identity)}")

    @classmethod
    def of(cls, url: str, networks: Iterable[str] = ()) -> Self:
        """The address with the networks in one order, however the realm lists them."""
        return cls(url, tuple(sorted(set(networks))))


def host_of(url: str) -> str:
    """The host of a URL in lower case; empty for what has none, which the fetcher will refuse."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _digest(text: str) -> str:
    return base64url.encode_text(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
