"""The origin of a request that came through proxies. Pure.

One rule for every process: a trusted proxy appends to ``X-Forwarded-For`` the address it received the request
from, to the right of what it received itself. So the chain is read from the right, past all trusted
addresses, and the first one that is not trusted is the caller's. Whatever stands left of it was written by
that caller.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from keyturn_shared.network.known_networks import membership

LOOPBACK_NETWORKS: Final[tuple[IPv4Network | IPv6Network, ...]] = (
    ip_network("127.0.0.0/8"),
    ip_network("::1/128"),
)

_is_loopback = membership(LOOPBACK_NETWORKS)


class ChainFault(StrEnum):
    """A mismatch between a request and the configured chain of proxies."""

    UNTRUSTED_PEER = "untrusted_peer"
    """A peer outside the trusted networks sends ``X-Forwarded-For``: an unlisted proxy, or a forged
    header."""
    NO_ADDRESS = "no_address"
    """A trusted proxy sends no ``X-Forwarded-For``."""
    ONLY_PROXIES = "only_proxies"
    """Every address is a trusted proxy's: one of them replaces its caller's address by its own."""
    MALFORMED = "malformed"
    """A trusted proxy sends something that is not an address."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of a request. ``address``: the caller's, None if only proxies are known, who stand for many
    callers. ``nearest``: the trustworthy address nearest to the caller, possibly a proxy's."""

    address: str | None
    nearest: str
    fault: ChainFault | None = None


class TrustedProxies:
    """The networks of the operator's own proxies (``KEYTURN_TRUSTED_PROXIES``)."""

    def __init__(self, networks: Iterable[IPv4Network | IPv6Network]) -> None:
        self.trusts = membership(networks)

    def origin(self, peer: str, forwarded_for: Iterable[bytes]) -> Origin:
        """Determine the origin of a request. ``forwarded_for``: its ``X-Forwarded-For`` fields."""
        hops = _elements(forwarded_for)
        nearest = _address(peer) or peer
        if not self.trusts(peer):
            return Origin(nearest or None, nearest, ChainFault.UNTRUSTED_PEER if hops else None)
        for hop in reversed(hops):
            address = _address(hop)
            if address is None:
                return Origin(None, nearest, ChainFault.MALFORMED)
            nearest = address
            if not self.trusts(address):
                return Origin(address, address)
        if hops:
            return Origin(None, nearest, ChainFault.ONLY_PROXIES)
        # A program on this machine may well be the caller itself.
        return Origin(None, nearest, None if _is_loopback(peer) else ChainFault.NO_ADDRESS)


def network_of(address: str) -> str:
    """Return what stands for one caller: an IPv4 address, or the /64 network of an IPv6 subscriber."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((int(parsed), 64), strict=False))


def _elements(fields: Iterable[bytes]) -> list[str]:
    """Split a list over one field or several; empty members do not count (RFC 9110 5.6.1.2)."""
    joined = b",".join(fields).decode("latin-1")
    return [element for each in joined.split(",") if (element := each.strip(" \t"))]


def _address(hop: str) -> str | None:
    """Parse an address from ``X-Forwarded-For``, with or without a port."""
    text = hop
    if text.startswith("["):
        text, bracket, port = text[1:].partition("]")
        if not bracket or (port and not _is_port(port)):
            return None
    elif text.count(":") == 1:
        text, _, port = text.partition(":")
        if not _is_port(f":{port}"):
            return None
    try:
        address: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        if address.scope_id is not None:  # free text, which could make one address look like many
            return str(IPv6Address(int(address)))
    return str(address)


def _is_port(text: str) -> bool:
    return text[0] == ":" and text[1:].isascii() and text[1:].isdigit() and len(text) <= 6
