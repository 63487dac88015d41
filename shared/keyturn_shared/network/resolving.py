"""Addresses of a name, all of them checked before any is connected to."""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Protocol

from keyturn_shared.network.addresses import Address, Network, is_allowed, may_connect
from keyturn_shared.network.refusal import FetchRefused, Reason
from keyturn_shared.network.target import Target


class Resolver(Protocol):
    """Resolves a name. Raises OSError if there is no answer."""

    async def __call__(self, host: str, port: int, /) -> Sequence[Address]: ...


async def resolve(host: str, port: int) -> Sequence[Address]:
    """Return all addresses from the system's resolver, in its order of preference."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))


async def checked_addresses(
    target: Target, allowed: Sequence[Network], resolver: Resolver
) -> Sequence[Address]:
    """Resolve the target and return its addresses, at least one. Raises FetchRefused.

    One forbidden address refuses the whole name: neither chance nor the order in which a stranger's name
    server lists the addresses may decide which one is used.
    """
    found: Sequence[Address]
    if target.address is not None:
        found = [target.address]
    else:
        try:
            found = await resolver(target.host, target.port)
        except (OSError, UnicodeError) as error:
            raise FetchRefused(Reason.RESOLUTION_FAILED, f"{target.host}: {error}") from None
    if not found:
        raise FetchRefused(Reason.RESOLUTION_FAILED, f"{target.host} has no address")
    for address in found:
        if not may_connect(address, allowed):
            raise FetchRefused(
                Reason.ADDRESS_NOT_ALLOWED, f"{target.host} resolves to {address}, which is not public"
            )
        if target.scheme == "http" and not is_allowed(address, allowed):
            raise plain_http_refused()
    return found


def plain_http_refused() -> FetchRefused:
    return FetchRefused(Reason.SCHEME_NOT_ALLOWED, "plain http is allowed only in allowed networks")
