"""Addresses of the nodes: each address that a name has is a node."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import httpx

MAX_NODES: Final = 200
"""Largest number of addresses that are asked in a round."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node at one address. ``url``: as given, with the name for the Host field and for TLS."""

    url: httpx.URL
    address: str

    @property
    def label(self) -> str:
        """Return host and port, and the address if the host is a name."""
        named = f"{self.url.host}:{self.url.port or _default_port(self.url)}"
        return named if self.url.host == self.address else f"{named} ({self.address})"


class UnresolvedError(Exception):
    """A name has no address now."""


Resolve = Callable[[str, int], Sequence[str]]
"""Returns the addresses of a host, given its port. Raises UnresolvedError."""


def resolve(host: str, port: int) -> list[str]:
    """Ask the system's resolver. With addresses of both families, only IPv4's are returned: otherwise one
    node would be counted twice. Raises UnresolvedError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnresolvedError(f"{host} has no address: {getattr(error, 'strerror', None) or error}") from None
    four = {str(each[4][0]) for each in found if each[0] is socket.AF_INET}
    return sorted(four or {str(each[4][0]) for each in found})


def nodes_of(urls: Sequence[httpx.URL], look_up: Resolve = resolve) -> tuple[list[Node], list[str]]:
    """Return the nodes, each address and port once, and the reasons for names without an address."""
    found: dict[tuple[str, int], Node] = {}
    unresolved = []
    for url in urls:
        port = url.port or _default_port(url)
        try:
            addresses = look_up(url.host, port)
        except UnresolvedError as error:
            unresolved.append(str(error))
            continue
        for address in addresses:
            found.setdefault((address, port), Node(url, address))
    if len(found) > MAX_NODES:
        unresolved.append(f"{len(found)} addresses were found, and only {MAX_NODES} of them are asked")
    return list(found.values())[:MAX_NODES], unresolved


def _default_port(url: httpx.URL) -> int:
    return 443 if url.scheme == "https" else 80
