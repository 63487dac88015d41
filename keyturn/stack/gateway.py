"""The gateway of the local stack: one base URL in front of the credentials service and the nodes.

``/realms`` goes to the nodes in turn, everything else keyturn serves to the credentials service. In
production a gateway of the operator's choice does this; ``deploy/`` has one for nginx.
"""

import itertools
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final

import httpx
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

BODY_BYTES: Final = 10 * 1024 * 1024
"""A longer request body is refused with 413. A body is kept whole, so that it can be sent to another node."""

CONNECT_SECONDS: Final = 2.0
ANSWER_SECONDS: Final = 75.0
"""Longer than any ``Prefer: wait``, which is at most 60 s."""

# RFC 9110 section 7.6.1, with what older programs send.
_HOP_BY_HOP: Final = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer trailers "
    b"transfer-encoding upgrade".split()
)
# What a gateway says about its caller. A caller that says so itself is not believed.
_GATEWAY_ONLY: Final = frozenset(
    b"forwarded x-real-ip x-client-cert client-cert client-cert-chain ssl-client-cert".split()
)
_GATEWAY_ONLY_PREFIXES: Final = (b"x-forwarded-", b"x-ssl-client-", b"ssl-client-")
_IDEMPOTENT: Final = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE"))
_CREDENTIALS_PATHS: Final = ("/admin", "/console", "/health", "/metrics")
_NODE_PATHS: Final = ("/realms",)

Headers = list[tuple[bytes, bytes]]


class Gateway:
    """An ASGI application. ``close`` ends its connections."""

    def __init__(
        self,
        credentials: str,
        nodes: Sequence[str],
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._credentials = [credentials]
        self._nodes = list(nodes)
        self._turn = itertools.count()
        # The transport alone: a client would follow cookies, proxies and redirects, which are the caller's.
        self._transport = transport or httpx.AsyncHTTPTransport(
            limits=httpx.Limits(max_connections=512, max_keepalive_connections=64, keepalive_expiry=2.0)
        )

    async def close(self) -> None:
        await self._transport.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        path = request.url.path
        if path == "/":
            return RedirectResponse("/console/", status_code=307)
        upstreams = self._upstreams(path)
        if not upstreams:
            return _problem(404, "Not found", "there is /admin, /console, /realms, /health and /metrics")
        body = await _read_body(request)
        if body is None:
            return _problem(413, "Content too large", f"a request body may have {BODY_BYTES} bytes")
        return await self._try_in_turn(request, upstreams, body)

    def _upstreams(self, path: str) -> list[str]:
        if _is_under(path, _CREDENTIALS_PATHS):
            return self._credentials
        if _is_under(path, _NODE_PATHS):
            first = next(self._turn) % len(self._nodes)
            return self._nodes[first:] + self._nodes[:first]
        return []

    async def _try_in_turn(self, request: Request, upstreams: Sequence[str], body: bytes) -> Response:
        """The first answer that is not a refusal to serve; of several refusals, the last."""
        refusal: httpx.Response | None = None
        for upstream in upstreams:
            try:
                answer = await self._transport.handle_async_request(_forward(request, upstream, body))
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
                continue  # nothing was sent, so the next one may be asked
            except httpx.TimeoutException:
                return _problem(504, "Gateway timeout", "the service did not answer in time")
            except httpx.HTTPError:
                if request.method in _IDEMPOTENT:
                    continue
                return _problem(
                    502, "Bad gateway", "the connection broke; the request may have been carried out"
                )
            if answer.status_code != 503:
                await _discard(refusal)
                return _relay(answer)
            # A node without a lease refuses before it looks at the request: it can be sent to another.
            await _discard(refusal)
            refusal = answer
        if refusal is not None:
            return _relay(refusal)
        return _problem(503, "Service unavailable", "the service cannot be reached", {"Retry-After": "1"})


def _is_under(path: str, prefixes: Iterable[str]) -> bool:
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes)


async def _read_body(request: Request) -> bytes | None:
    """The whole body, or None when it is too long."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            return None
    return bytes(body)


def _forward(request: Request, upstream: str, body: bytes) -> httpx.Request:
    scope = request.scope
    target: bytes = scope.get("raw_path") or request.url.path.encode()
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    streams_events = "text/event-stream" in request.headers.get("accept", "")
    return httpx.Request(
        request.method,
        httpx.URL(upstream).copy_with(raw_path=target),
        headers=_request_headers(request, body),
        stream=httpx.ByteStream(body),
        extensions={
            "timeout": {
                "connect": CONNECT_SECONDS,
                "pool": CONNECT_SECONDS,
                "write": ANSWER_SECONDS,
                "read": None if streams_events else ANSWER_SECONDS,
            }
        },
    )


def _request_headers(request: Request, body: bytes) -> Headers:
    given: Headers = request.scope["headers"]
    dropped = _named_by_connection(given) | _HOP_BY_HOP | {b"content-length", b"expect"}
    headers = [
        (name, value)
        for name, value in given
        if name not in dropped
        and name not in _GATEWAY_ONLY
        # CGI-style servers fold "_" into "-", and so would let a forged name through.
        and not name.replace(b"_", b"-").startswith(_GATEWAY_ONLY_PREFIXES)
    ]
    if body or request.method not in ("GET", "HEAD", "OPTIONS", "DELETE"):
        headers.append((b"content-length", str(len(body)).encode()))
    if request.client is not None:
        headers.append((b"x-forwarded-for", request.client.host.encode()))
    headers.append((b"x-forwarded-proto", request.scope["scheme"].encode()))
    if "host" in request.headers:
        headers.append((b"x-forwarded-host", request.headers["host"].encode("latin-1")))
    return headers


def _relay(answer: httpx.Response) -> Response:
    given = [(name.lower(), value) for name, value in answer.headers.raw]
    dropped = _named_by_connection(given) | _HOP_BY_HOP | {b"date", b"server"}
    response = StreamingResponse(_chunks(answer), status_code=answer.status_code)
    response.raw_headers = [(name, value) for name, value in given if name not in dropped]
    return response


async def _chunks(answer: httpx.Response) -> AsyncIterator[bytes]:
    # Raw: whatever encoding the service chose is for the caller to undo.
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    finally:
        await answer.aclose()


async def _discard(answer: httpx.Response | None) -> None:
    if answer is not None:
        await answer.aclose()


def _named_by_connection(headers: Headers) -> frozenset[bytes]:
    """Headers that ``Connection`` declares to be for one hop."""
    values = [value for name, value in headers if name == b"connection"]
    return frozenset(part.strip().lower() for value in values for part in value.split(b","))


def _problem(status: int, title: str, detail: str, headers: dict[str, str] | None = None) -> Response:
    """RFC 9457."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(body, status, headers, media_type="application/problem+json")
