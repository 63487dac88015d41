"""The decision which addresses may be connected to. Pure."""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final

from keyturn_shared.errors import ConfigurationError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_IPV4_COMPATIBLE: Final = IPv6Network("::/96")
_ISATAP_MARKS: Final = (0x00005EFE, 0x02005EFE)


def read_networks(networks: Iterable[str]) -> tuple[Network, ...]:
    """Parse networks in CIDR form. Raises ConfigurationError."""
    try:
        return tuple(ip_network(network.strip()) for network in networks if network.strip())
    except ValueError as error:
        raise ConfigurationError(f"an allowed network cannot be read: {error}") from error


def is_allowed(address: Address, allowed: Iterable[Network]) -> bool:
    """Return whether the address is in an allowed network."""
    return any(address in network for network in _same_version(address, allowed))


def may_connect(address: Address, allowed: Iterable[Network]) -> bool:
    """Return whether the address is allowed, or it and every address embedded in it are public.

    An IPv6 address can embed an IPv4 one (mapped, compatible, 6to4, Teredo, NAT64, ISATAP) that a router or
    the kernel extracts, so a public outer address does not make a private inner one public.
    """
    listed = tuple(allowed)
    if is_allowed(address, listed):
        return True
    inner = tuple(_embedded(address))
    if inner and all(is_allowed(each, listed) for each in inner):
        return True
    return all(_is_public(each) for each in (address, *inner))


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and (address.ipv4_mapped is not None or address in _IPV4_COMPATIBLE):
        return not address.is_loopback and not address.is_unspecified and address.ipv4_mapped is not None
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not address.is_unspecified
        and not (isinstance(address, IPv6Address) and address.is_site_local)
    )


def _embedded(address: Address) -> Iterator[IPv4Address]:
    if isinstance(address, IPv4Address):
        return
    number = int(address)
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in _IPV4_COMPATIBLE or any(address in network for network in _NAT64):
        yield IPv4Address(number & 0xFFFFFFFF)
    if (number >> 32) & 0xFFFFFFFF in _ISATAP_MARKS:
        yield IPv4Address(number & 0xFFFFFFFF)


def _same_version(address: Address, networks: Iterable[Network]) -> Iterator[Network]:
    return (network for network in networks if network.version == address.version)
