"""Connections to one host, made only to checked addresses."""

import asyncio
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import httpcore
from aiohappyeyeballs import AddrInfoType, start_connection

from keyturn_shared.network.addresses import Address, Network, is_allowed
from keyturn_shared.network.incoming import Incoming
from keyturn_shared.network.proxy import Proxy
from keyturn_shared.network.refusal import FetchRefused, Reason
from keyturn_shared.network.resolving import Resolver, checked_addresses, plain_http_refused
from keyturn_shared.network.stream import TcpStream
from keyturn_shared.network.target import Target
from keyturn_shared.network.tunnel import open_tunnel

_HEAD_START_SECONDS: Final = 0.25
"""Seconds before the next address is tried in parallel (RFC 8305 section 5)."""
MAX_ADDRESSES: Final = 4
"""Addresses tried per family: a stranger's name must not make keyturn contact thousands of hosts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Resolver and proxy. ``proxy``: for public addresses; allowed networks are reached directly."""

    resolver: Resolver
    proxy: Proxy | None = None


@dataclass(frozen=True, slots=True)
class _Direct:
    """Addresses to race."""

    addresses: Sequence[Address]


@dataclass(frozen=True, slots=True)
class _Tunnelled:
    """An address or a name to request from a proxy."""

    proxy: Proxy
    host: str


_Attempt = _Direct | _Tunnelled


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects for one target under one policy. Each connection looks the name up anew and checks every
    address. A later change of the name has no effect."""

    def __init__(self, target: Target, allowed: Sequence[Network], route: Route) -> None:
        self._target = target
        self._allowed = allowed
        self._route = route
        self._streams: dict[TcpStream, None] = {}

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the target, whose host and port httpcore repeats. Raises FetchRefused. ``timeout``: of
        all attempts together, in seconds; each has an equal share of the rest."""
        seconds = timeout or 0.0
        attempts = await self._attempts()
        now = asyncio.get_running_loop().time
        ends_at = now() + seconds
        refusals = []
        for number, attempt in enumerate(attempts):
            share = (ends_at - now()) / (len(attempts) - number)
            try:
                async with asyncio.timeout(share):
                    return await self._make(attempt, share)
            except TimeoutError:
                refusals.append(FetchRefused(Reason.TIMEOUT, "no connection in time"))
            except (OSError, RuntimeError) as error:  # uvloop raises RuntimeError for sockets that fail early
                refusals.append(FetchRefused(Reason.CONNECTION_FAILED, str(error)))
            except FetchRefused as refused:
                refusals.append(refused)
        raise refusals[-1]

    def keep(self, most: int) -> None:
        """Close all connections except ``most``."""
        for stream in list(self._streams)[most:]:
            stream.abort()

    async def _attempts(self) -> Sequence[_Attempt]:
        proxy = self._route.proxy
        if proxy is not None and proxy.resolves and self._target.address is None:
            if self._target.scheme == "http":
                raise plain_http_refused()
            return [_Tunnelled(proxy, self._target.host)]
        checked = await checked_addresses(self._target, self._allowed, self._route.resolver)
        found = _some_of_each_family(checked)
        if proxy is None:
            return [_Direct(found)]
        inside = [address for address in found if is_allowed(address, self._allowed)]
        beyond = [_Tunnelled(proxy, str(address)) for address in found if address not in inside]
        return [_Direct(inside), *beyond] if inside else beyond

    async def _make(self, attempt: _Attempt, seconds: float) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        if isinstance(attempt, _Direct):
            found = await start_connection(
                [_socket_address(address, self._target.port) for address in attempt.addresses],
                happy_eyeballs_delay=_HEAD_START_SECONDS,
            )
            try:
                return self._stream(*await loop.create_connection(Incoming, sock=found))
            except BaseException:  # also on cancellation: nothing else knows of this socket yet
                found.close()
                raise
        proxy = attempt.proxy
        stream = self._stream(*await loop.create_connection(Incoming, proxy.host, proxy.port))
        try:
            return await open_tunnel(stream, proxy, attempt.host, self._target.port, seconds)
        except BaseException:  # also on cancellation or timeout: nothing else knows of this connection yet
            stream.abort()
            raise

    def _stream(self, transport: asyncio.Transport, incoming: Incoming) -> TcpStream:
        stream = TcpStream(transport, incoming, self._forget)
        self._streams[stream] = None
        return stream

    def _forget(self, stream: TcpStream) -> None:
        self._streams.pop(stream, None)


def _some_of_each_family(addresses: Sequence[Address]) -> list[Address]:
    return [
        address
        for version in dict.fromkeys(address.version for address in addresses)
        for address in [each for each in addresses if each.version == version][:MAX_ADDRESSES]
    ]


def _socket_address(address: Address, port: int) -> AddrInfoType:
    if address.version == 4:
        return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (str(address), port))
    return (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (str(address), port, 0, 0))
