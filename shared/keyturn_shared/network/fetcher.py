"""One guarded GET: the address is checked, then connected to; everything about the answer is bounded."""

import asyncio
import socket
import ssl
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final, Protocol

from keyturn_shared.network.addresses import Address, Network, is_allowed, may_connect
from keyturn_shared.network.connecting import connect
from keyturn_shared.network.exchange import Exchange
from keyturn_shared.network.proxy import Proxy
from keyturn_shared.network.refusal import FetchRefused, Reason
from keyturn_shared.network.target import Target, read_target
from keyturn_shared.network.tls import client_context

_JSON_TYPES: Final = frozenset({"application/json", "application/jwk-set+json", "text/plain", "text/json"})
_WBITS_GZIP: Final = 31
_OK: Final = 200
_NOT_MODIFIED: Final = 304
_CONNECT_SHARE: Final = 0.5


class Resolver(Protocol):
    """Looks a name up. Raises OSError when there is no answer."""

    async def __call__(self, host: str, port: int) -> Sequence[Address]: ...


async def resolve(host: str, port: int) -> Sequence[Address]:
    """All addresses that the system's resolver has for a name, in its order of preference."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchPolicy:
    """Limits of one fetch. Seconds and bytes; ``max_bytes`` bounds the body as sent and as unpacked.

    ``allowed_networks``: where a URL may lead although it is not public; plain http is taken only there.
    """

    total_seconds: float = 5.0
    first_byte_seconds: float = 3.0
    max_bytes: int = 256 * 1024
    allowed_networks: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class FetchResult:
    """An answer of status 200, or 304 with an empty body. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def not_modified(self) -> bool:
        return self.status == _NOT_MODIFIED


class GuardedFetcher:
    """Fetches URLs that strangers chose.

    Every address a name resolves to is checked, and the connection goes to one that was: a name that resolves
    otherwise a moment later changes nothing. No redirect is followed, no proxy is taken from the environment,
    TLS is always verified. A connection serves one request: an idle one for one host must not serve another
    host at the same address.

    ``tls``: see ``client_context``. ``proxy``: for public addresses; allowed networks are reached directly.
    """

    def __init__(
        self,
        *,
        resolver: Resolver = resolve,
        tls: ssl.SSLContext | None = None,
        proxy: Proxy | None = None,
        user_agent: str = "keyturn",
    ) -> None:
        self._resolver = resolver
        self._tls = tls or client_context()
        self._proxy = proxy
        self._headers = {
            "User-Agent": user_agent,
            "Accept": "application/jwk-set+json, application/json",
            "Accept-Encoding": "gzip, identity",
            "Connection": "close",
        }

    async def fetch(
        self, url: str, *, policy: FetchPolicy, etag: str | None = None, last_modified: str | None = None
    ) -> FetchResult:
        """GET it, conditionally where ``etag`` or ``last_modified`` are given. Raises FetchRefused."""
        target = read_target(url)
        try:
            async with asyncio.timeout(policy.total_seconds):
                address = await self._choose(target, policy)
                return await self._get(target, address, policy, _conditions(etag, last_modified))
        except TimeoutError:
            raise FetchRefused(Reason.TIMEOUT, f"no whole answer within {policy.total_seconds:g} s") from None

    async def _choose(self, target: Target, policy: FetchPolicy) -> Address | None:
        """An address that was checked; None if it is the proxy that looks the name up."""
        found: Sequence[Address]
        if target.address is not None:
            found = [target.address]
        elif self._proxy is not None and self._proxy.resolves:
            if target.scheme == "http":
                raise FetchRefused(Reason.SCHEME_NOT_ALLOWED, "plain http is taken only in allowed networks")
            return None
        else:
            try:
                found = await self._resolver(target.host, target.port)
            except (OSError, UnicodeError) as error:
                raise FetchRefused(Reason.RESOLUTION_FAILED, f"{target.host}: {error}") from None
        if not found:
            raise FetchRefused(Reason.RESOLUTION_FAILED, f"{target.host} has no address")
        for address in found:
            # One bad address is enough: which of them is connected to must not be a matter of luck.
            if not may_connect(address, policy.allowed_networks):
                raise FetchRefused(
                    Reason.ADDRESS_NOT_ALLOWED, f"{target.host} leads to {address}, which is not public"
                )
            if target.scheme == "http" and not is_allowed(address, policy.allowed_networks):
                raise FetchRefused(Reason.SCHEME_NOT_ALLOWED, "plain http is taken only in allowed networks")
        return found[0]

    async def _get(
        self, target: Target, address: Address | None, policy: FetchPolicy, conditions: Mapping[str, str]
    ) -> FetchResult:
        inside = address is not None and is_allowed(address, policy.allowed_networks)
        connect_seconds = policy.total_seconds * _CONNECT_SHARE
        connection = await connect(
            str(address or target.host), target.port, connect_seconds, None if inside else self._proxy
        )
        try:
            if target.scheme == "https":
                await connection.start_tls(self._tls, target.host, connect_seconds)
            exchange = Exchange(connection, policy.first_byte_seconds)
            asked = [("Host", target.authority), *self._headers.items(), *conditions.items()]
            status, headers = await exchange.ask(target.path, asked)
            return await _read(status, headers, exchange, policy)
        finally:
            connection.close()


async def _read(
    status: int, headers: Mapping[str, str], exchange: Exchange, policy: FetchPolicy
) -> FetchResult:
    if status == _NOT_MODIFIED:
        return FetchResult(status, headers, b"")
    if 300 <= status < 400:
        raise FetchRefused(Reason.REDIRECT, f"status {status}; redirects are not followed")
    if status != _OK:
        raise FetchRefused(Reason.STATUS, f"status {status}")
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type and media_type not in _JSON_TYPES and not media_type.endswith("+json"):
        raise FetchRefused(Reason.CONTENT_TYPE, f"{media_type[:80]} is not JSON")
    return FetchResult(status, headers, await _read_body(exchange, headers, policy.max_bytes))


async def _read_body(exchange: Exchange, headers: Mapping[str, str], limit: int) -> bytes:
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise FetchRefused(Reason.CONTENT_ENCODING, f"the encoding {encoding[:40]!r} was not asked for")
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        raise FetchRefused(Reason.TOO_LARGE, f"more than {limit} bytes announced")
    unpacker = zlib.decompressobj(_WBITS_GZIP) if encoding != "identity" else None
    body = bytearray()
    received = 0
    async for chunk in exchange.body():
        received += len(chunk)
        if unpacker is None:
            body += chunk
        else:
            try:
                # Never unpacks more than there is room for: a small file can hold gigabytes.
                body += unpacker.decompress(chunk, limit + 1 - len(body))
            except zlib.error as error:
                raise FetchRefused(Reason.CONTENT_ENCODING, f"the body does not unpack: {error}") from None
        if len(body) > limit or received > limit:
            raise FetchRefused(Reason.TOO_LARGE, f"more than {limit} bytes")
    if unpacker is not None and not unpacker.eof:
        raise FetchRefused(Reason.CONTENT_ENCODING, "the packed body ends too early")
    return bytes(body)


def _conditions(etag: str | None, last_modified: str | None) -> dict[str, str]:
    conditions = {}
    if etag:
        conditions["If-None-Match"] = etag
    if last_modified:
        conditions["If-Modified-Since"] = last_modified
    return conditions
