"""The gateway of the local stack: one base URL in front of the credentials service and the nodes.

``/realms`` goes to the nodes in turn, everything else keyturn serves to the credentials service. In
production a gateway of the operator's choice does this; ``deploy/`` has one for nginx.
"""

import asyncio
import contextlib
import itertools
import socket
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final

import httpx
import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from keyturn.stack.forwarding import forward, relay

BODY_BYTES: Final = 10 * 1024 * 1024
"""A longer request body is refused with 413. A body is kept whole, so that it can be sent to another node."""

_IDEMPOTENT: Final = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE"))
_CREDENTIALS_PATHS: Final = ("/admin", "/console", "/health", "/metrics")
_NODE_PATHS: Final = ("/realms", "/.well-known")


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
                answer = await self._transport.handle_async_request(forward(request, upstream, body))
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
                return relay(answer)
            # A node that answers 503, for want of a lease, granted nothing: another may be asked.
            await _discard(refusal)
            refusal = answer
        if refusal is not None:
            return relay(refusal)
        return _problem(503, "Service unavailable", "the service cannot be reached", {"Retry-After": "1"})


@contextlib.asynccontextmanager
async def serve_gateway(gateway: Gateway, listener: socket.socket) -> AsyncIterator[None]:
    """Serve a gateway on a listening socket while the block runs."""
    config = uvicorn.Config(
        gateway,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        date_header=True,
        # Nobody is in front of this gateway: what callers say about their address is not believed.
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    # The stack handles signals: it ends everything in order.
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="gateway")
    try:
        yield
    finally:
        server.should_exit = True
        await serving
        await gateway.close()


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


async def _discard(answer: httpx.Response | None) -> None:
    if answer is not None:
        await answer.aclose()


def _problem(status: int, title: str, detail: str, headers: dict[str, str] | None = None) -> Response:
    """RFC 9457."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(body, status, headers, media_type="application/problem+json")
