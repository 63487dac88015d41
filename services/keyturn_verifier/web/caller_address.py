"""Who sent a request, when proxies stand in between."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from keyturn_shared.network.known_networks import membership
from keyturn_verifier.web.exchange import Request


class CallerAddress:
    """Believes ``X-Forwarded-For`` of the proxies named, from the right on: what stands left of the first
    address that is none of theirs was written by whoever has that address."""

    def __init__(self, proxies: Iterable[IPv4Network | IPv6Network]) -> None:
        self._is_proxy = membership(proxies)

    def of(self, request: Request) -> str | None:
        """None when only proxies are known: what they send is sent for others."""
        if not self._is_proxy(request.address):
            return request.address or None
        hops = b",".join(value for name, value in request.headers if name == b"x-forwarded-for")
        for hop in reversed(hops.decode("latin-1").split(",")):
            address = _address(hop)
            if address is None:
                return None
            if not self._is_proxy(address):
                return address
        return None


def network_of(address: str) -> str:
    """What stands for one caller: an IPv4 address, or the IPv6 network of 64 bits that one subscriber has."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed, 64), strict=False))


def _address(hop: str) -> str | None:
    """An address out of ``X-Forwarded-For``, with or without a port."""
    text = hop.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ip_address(text))
    except ValueError:
        return None
