"""One guarded GET or POST: only checked addresses are connected to, and all of the response is limited."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

import httpcore
from h2.exceptions import H2Error

from keyturn_shared.network.addresses import Network
from keyturn_shared.network.answer import FetchResult, read_answer
from keyturn_shared.network.guarded_backend import Route
from keyturn_shared.network.host_connections import IDLE_SECONDS, HostConnections, KeptConnections
from keyturn_shared.network.proxy import Proxy
from keyturn_shared.network.refusal import FetchRefused, Reason
from keyturn_shared.network.resolving import Resolver, resolve
from keyturn_shared.network.stream import TcpStream
from keyturn_shared.network.target import Target, read_target
from keyturn_shared.network.tls import system_context

_Headers = list[tuple[bytes, bytes]]

_CONNECT_SHARE: Final = 0.5
_FORM: Final = (b"Content-Type", b"application/x-www-form-urlencoded")
_FORM_ERRORS: Final = frozenset({400, 401})
_PERHAPS_STALE: Final = frozenset({Reason.CONNECTION_FAILED, Reason.PROTOCOL_ERROR, Reason.TLS_FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchPolicy:
    """Limits of one fetch. Seconds and bytes; ``max_bytes`` limits the body as sent and as unpacked.
    ``allowed_networks``: private networks that a URL may reach; plain http is accepted only there."""

    total_seconds: float = 5.0
    first_byte_seconds: float = 3.0
    max_bytes: int = 256 * 1024
    allowed_networks: tuple[Network, ...] = ()


class GuardedFetcher:
    """Fetches URLs chosen by strangers.

    Every address of a name is checked, and only checked addresses are connected to: a later change of the
    name has no effect. Redirects are not followed, proxies are not taken from the environment, and TLS is
    always verified. A connection is kept for a while for its host and for policies with the same networks: an
    idle one must not serve another host at the same address.

    ``tls``: see ``client_context``; httpcore sets its ALPN, so do not share it. ``proxy``: for public
    addresses; allowed networks are reached directly. ``idle_seconds``: how long a connection is kept.
    """

    def __init__(
        self,
        *,
        resolver: Resolver = resolve,
        tls: ssl.SSLContext | None = None,
        proxy: Proxy | None = None,
        user_agent: str = "keyturn",
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._kept = KeptConnections(
            Route(resolver=resolver, proxy=proxy), tls or system_context(), idle_seconds=idle_seconds
        )
        self._headers = [
            (b"User-Agent", user_agent.encode()),
            (b"Accept", b"application/jwk-set+json, application/json"),
            (b"Accept-Encoding", b"gzip, identity"),
        ]

    async def fetch(
        self,
        url: str,
        *,
        policy: FetchPolicy,
        etag: str | None = None,
        last_modified: str | None = None,
        authorization: str | None = None,
    ) -> FetchResult:
        """GET a URL, conditionally if ``etag`` or ``last_modified`` is given. Raises FetchRefused."""
        target = read_target(url)
        headers = self._headers_for(target, authorization) + _conditions(etag, last_modified)
        async with _in_time(policy):
            return await self._get(target, headers, policy)

    async def post_form(
        self, url: str, form: Mapping[str, str], *, policy: FetchPolicy, authorization: str | None = None
    ) -> FetchResult:
        """POST a form once, over a new connection; an error in JSON with status 400 or 401 is an answer too
        (RFC 6749 section 5.2). Raises FetchRefused."""
        target = read_target(url)
        headers = [*self._headers_for(target, authorization), _FORM]
        async with _in_time(policy):
            with self._kept.new(target, policy.allowed_networks) as host:
                return await self._ask(host, target, headers, policy, body=urlencode(form).encode())

    async def post(self, url: str, body: bytes, *, headers: Mapping[str, str], policy: FetchPolicy) -> int:
        """POST once, over a new connection. Return the status; the response's body is not read, however long
        it is. Raises FetchRefused; it is then unknown whether the request arrived."""
        target = read_target(url)
        given = [(name.encode(), value.encode()) for name, value in headers.items()]
        sent = [*self._headers_for(target, None), *given]
        async with _in_time(policy):
            with self._kept.new(target, policy.allowed_networks) as host:
                async with _exchange(host, "POST", target, sent, policy, body=body) as response:
                    return response.status

    def close(self) -> None:
        """Close the kept connections."""
        self._kept.close()

    def _headers_for(self, target: Target, authorization: str | None) -> _Headers:
        headers = [(b"Host", target.authority.encode()), *self._headers]
        return headers if authorization is None else [*headers, (b"Authorization", authorization.encode())]

    async def _get(self, target: Target, headers: _Headers, policy: FetchPolicy) -> FetchResult:
        try:
            with self._kept.lent(target, policy.allowed_networks) as host:
                answered_before = host.answers > 0
                return await self._ask(host, target, headers, policy)
        except FetchRefused as refused:
            if not answered_before or refused.reason not in _PERHAPS_STALE:
                raise
        # The server may have closed a kept connection while the request was on its way; a GET may be sent
        # again (RFC 9110 section 9.2.2), once and over a new connection.
        with self._kept.lent(target, policy.allowed_networks) as host:
            return await self._ask(host, target, headers, policy)

    async def _ask(
        self,
        host: HostConnections,
        target: Target,
        headers: _Headers,
        policy: FetchPolicy,
        *,
        body: bytes | None = None,
    ) -> FetchResult:
        """Send one request: a POST if it has a body."""
        method, further = ("GET", frozenset[int]()) if body is None else ("POST", _FORM_ERRORS)
        async with _exchange(host, method, target, headers, policy, body=body) as response:
            if not _is_in_place(response):
                if host.answers > 0:
                    raise FetchRefused(Reason.PROTOCOL_ERROR, "the response began before the request")
                self._kept.give_up(host)
            return await read_answer(response, policy.max_bytes, further)


@asynccontextmanager
async def _exchange(
    host: HostConnections,
    method: str,
    target: Target,
    headers: _Headers,
    policy: FetchPolicy,
    *,
    body: bytes | None,
) -> AsyncIterator[httpcore.Response]:
    """Send a request, and open its response. Raises FetchRefused."""
    url = httpcore.URL(
        scheme=target.scheme.encode(),
        host=target.host.encode(),
        port=target.port,
        target=target.path.encode(),
    )
    pause = policy.first_byte_seconds
    timeouts = {"connect": policy.total_seconds * _CONNECT_SHARE, "read": pause, "write": pause}
    try:
        async with host.pool.stream(
            method.encode(), url, headers=headers, content=body, extensions={"timeout": timeouts}
        ) as response:
            yield response
    except (httpcore.ProtocolError, H2Error, ValueError) as error:
        # httpcore lets h2's own errors through while a body is read, and a non-numeric status.
        raise FetchRefused(Reason.PROTOCOL_ERROR, str(error)[:200]) from None


@asynccontextmanager
async def _in_time(policy: FetchPolicy) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(policy.total_seconds):
            yield
    except TimeoutError:
        raise FetchRefused(
            Reason.TIMEOUT, f"no complete response within {policy.total_seconds:g} s"
        ) from None


def _is_in_place(response: httpcore.Response) -> bool:
    """Return whether a response over HTTP/1.1 was sent after its request, as far as can be told.

    httpcore keeps a connection even if the parser has octets left after the last response, and would take
    them for the beginning of the next one. So a response counts only if what came after the request begins
    with its head; one in an unusual form is accepted only from a new connection, which is then not kept.
    """
    stream: TcpStream = response.extensions["network_stream"]
    phrase = response.extensions.get("reason_phrase", b"")
    version = response.extensions["http_version"]
    lines = [b"%b %d %b" % (version, response.status, phrase)]
    lines += [b"%b: %b" % (name, value) for name, value in response.headers]
    return stream.began_with(b"\r\n".join([*lines, b"", b""]))


def _conditions(etag: str | None, last_modified: str | None) -> _Headers:
    given = ((b"If-None-Match", etag), (b"If-Modified-Since", last_modified))
    return [(name, value.encode("latin-1")) for name, value in given if value]
