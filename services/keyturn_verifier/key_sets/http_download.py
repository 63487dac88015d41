"""Downloads through the guarded fetcher, so that no JWKS URL reaches a forbidden network."""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from keyturn_shared.errors import ConfigurationError
from keyturn_shared.key_set_address import KeySetAddress
from keyturn_shared.network.addresses import Address, Network, read_networks
from keyturn_shared.network.fetcher import FetchPolicy, GuardedFetcher
from keyturn_shared.network.proxy import Proxy
from keyturn_shared.network.refusal import FetchRefused
from keyturn_shared.network.resolving import Resolver
from keyturn_shared.network.tls import system_context
from keyturn_verifier.key_sets.download import Downloaded, DownloadError
from keyturn_verifier.key_sets.policy import KeySetPolicy

_RESOLVER_THREADS: Final = 64
_FIRST_BYTE_SHARE: Final = 0.6


class ThreadedResolver:
    """The system's resolver, in threads of its own.

    A lookup cannot be cancelled, and a name server that does not answer blocks its thread for many seconds.
    With the event loop's few threads, a handful of bad names would stop all fetching.
    """

    def __init__(self, name: str, threads: int = _RESOLVER_THREADS) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        """Return all addresses of a name. Raises OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _look_up, host, port)
        return list(dict.fromkeys(found))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int) -> list[Address]:
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(str(entry[4][0]).partition("%")[0]) for entry in entries]


class GuardedDownload:
    """A ``Download`` over HTTPS.

    ``tls``: a context with private CAs, if any; ``proxy``: for public addresses; ``resolver``: in place of
    the system's.

    Key sets that fail, or were never fetched, have a resolver of their own, so names that do not resolve
    delay no others.
    """

    def __init__(
        self,
        policy: KeySetPolicy,
        *,
        tls: ssl.SSLContext | None = None,
        proxy: Proxy | None = None,
        resolver: Resolver | None = None,
    ) -> None:
        self._policy = policy
        self._everywhere = read_networks(policy.allowed_networks)
        self._resolvers = {True: ThreadedResolver("jwks-dns"), False: ThreadedResolver("jwks-dns-unproven")}
        tls = tls or system_context()
        self._fetchers = {
            proven: GuardedFetcher(resolver=resolver or threaded, tls=tls, proxy=proxy)
            for proven, threaded in self._resolvers.items()
        }

    async def __call__(
        self, address: KeySetAddress, *, etag: str | None, last_modified: str | None, proven: bool
    ) -> Downloaded:
        try:
            policy = FetchPolicy(
                total_seconds=self._policy.fetch_timeout,
                first_byte_seconds=self._policy.fetch_timeout * _FIRST_BYTE_SHARE,
                max_bytes=self._policy.max_bytes,
                allowed_networks=self._everywhere + _read(address.networks),
            )
            result = await self._fetchers[proven].fetch(
                address.url, policy=policy, etag=etag, last_modified=last_modified
            )
        except FetchRefused as refused:
            raise DownloadError(refused.reason.value, refused.detail) from None
        except ConfigurationError as error:
            raise DownloadError("networks_invalid", str(error)) from None
        return Downloaded(result.status, result.headers, result.body)

    async def close(self) -> None:
        for fetcher in self._fetchers.values():
            fetcher.close()
        for resolver in self._resolvers.values():
            resolver.close()


@lru_cache(maxsize=1024)
def _read(networks: tuple[str, ...]) -> tuple[Network, ...]:
    return read_networks(networks)
