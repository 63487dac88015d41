"""Connections kept for a while, so that the key sets of one host share handshakes."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import httpcore

from keyturn_shared.network.addresses import Network
from keyturn_shared.network.guarded_backend import GuardedBackend, Route
from keyturn_shared.network.target import Target

IDLE_SECONDS: Final = 15.0
MAX_IDLE_HOSTS: Final = 64
MAX_IDLE_PER_HOST: Final = 4

_Key = tuple[str, str, int, tuple[Network, ...]]


@dataclass(slots=True, eq=False)
class HostConnections:
    """The connections of one host under one policy. ``answers``: number of good responses."""

    key: _Key
    backend: GuardedBackend
    pool: httpcore.AsyncConnectionPool
    answers: int = 0
    in_use: int = 0
    given_up: bool = False
    idle_since: float = 0.0


class KeptConnections:
    """Connections by host and allowed networks: realms that allow different networks share none.

    There is one pool per host, because httpcore scans all connections of a pool for every request. Everything
    is bounded: a host without a fetch in progress is dropped after ``idle_seconds``, the longest idle first
    if there are more than ``most_idle``, and each keeps few connections. After a failed fetch the host's
    connections are not used again, whatever their state.
    """

    def __init__(
        self,
        route: Route,
        tls: ssl.SSLContext,
        *,
        idle_seconds: float = IDLE_SECONDS,
        most_idle: int = MAX_IDLE_HOSTS,
    ) -> None:
        self._route = route
        self._tls = tls
        self._idle_seconds = idle_seconds
        self._most_idle = most_idle
        self._hosts: dict[_Key, HostConnections] = {}
        self._idle: dict[_Key, HostConnections] = {}  # longest idle first
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def lent(self, target: Target, allowed: tuple[Network, ...]) -> Iterator[HostConnections]:
        """Lend the connections for one fetch. They are dropped if the block raises."""
        key = (target.scheme, target.host, target.port, allowed)
        host = self._hosts.get(key) or self._add(key, target)
        self._idle.pop(key, None)
        host.in_use += 1
        try:
            yield host
            host.answers += 1
        except BaseException:  # also on cancellation: late octets must not be taken for the next response
            self.give_up(host)
            raise
        finally:
            host.in_use -= 1
            if host.in_use == 0:
                self._rest(host)

    @contextmanager
    def new(self, target: Target, allowed: tuple[Network, ...]) -> Iterator[HostConnections]:
        """Lend a new connection for one request that must not be sent twice. It is not kept."""
        host = self._make((target.scheme, target.host, target.port, allowed), target)
        try:
            yield host
        finally:
            host.backend.keep(0)

    def give_up(self, host: HostConnections) -> None:
        """Use its connections no more; those in use are closed afterwards."""
        host.given_up = True
        if self._hosts.get(host.key) is host:
            del self._hosts[host.key]

    def close(self) -> None:
        """Close idle connections at once, and those in use afterwards."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for host in list(self._hosts.values()):
            self.give_up(host)
        for host in self._idle.values():
            host.backend.keep(0)
        self._idle.clear()

    def _add(self, key: _Key, target: Target) -> HostConnections:
        host = self._hosts[key] = self._make(key, target)
        return host

    def _make(self, key: _Key, target: Target) -> HostConnections:
        backend = GuardedBackend(target, key[3], self._route)
        pool = httpcore.AsyncConnectionPool(
            ssl_context=self._tls,
            max_connections=None,  # callers limit their concurrent fetches
            keepalive_expiry=self._idle_seconds,
            http2=True,
            network_backend=backend,
        )
        return HostConnections(key, backend, pool)

    def _rest(self, host: HostConnections) -> None:
        if host.given_up:
            host.backend.keep(0)
            return
        host.backend.keep(MAX_IDLE_PER_HOST)
        loop = asyncio.get_running_loop()
        host.idle_since = loop.time()
        self._idle[host.key] = host
        if len(self._idle) > self._most_idle:
            self._forget(next(iter(self._idle.values())))
        if self._timer is None:
            self._timer = loop.call_later(self._idle_seconds, self._sweep)

    def _sweep(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        for host in list(self._idle.values()):
            left = host.idle_since + self._idle_seconds - loop.time()
            if left > 0:
                self._timer = loop.call_later(left, self._sweep)
                return
            self._forget(host)

    def _forget(self, host: HostConnections) -> None:
        del self._idle[host.key]
        del self._hosts[host.key]
        host.backend.keep(0)
