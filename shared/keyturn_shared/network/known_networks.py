"""Membership of a peer's address in networks that the operator has named."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

_REMEMBERED: Final = 4096


def membership(networks: Iterable[IPv4Network | IPv6Network]) -> Callable[[str], bool]:
    """Return a test for addresses, which caches its latest results. An IPv4 address mapped to IPv6 counts as
    the IPv4 one; anything that is not an address is in no network."""
    known = tuple(networks)
    if not known:
        return lambda _: False

    @lru_cache(maxsize=_REMEMBERED)
    def is_member(text: str) -> bool:
        try:
            address = ip_address(text)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in known)

    return is_member
