"""The ASGI application: finds the endpoint, reads the body within its limits, sends the reply."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from keyturn_verifier.metrics import AnswerMetrics
from keyturn_verifier.web.errors import oauth_error
from keyturn_verifier.web.exchange import Reply, Request, json_reply

Endpoint = Callable[[Request], Awaitable[Reply]]

_REALMS: Final = "/realms/"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint of a realm. ``methods``: None for any. ``body_limit``: bytes."""

    endpoint: Endpoint
    methods: tuple[str, ...] | None
    body_limit: int


class BodyTooLargeError(Exception):
    """The body is longer than the endpoint takes."""


class DisconnectedError(Exception):
    """The caller went away before the request was whole."""


class VerifierApplication:
    """Routes by the path below ``/realms/{realm}/``; everything else goes to ``others``.

    ``routes``: by the rest of the path. A route whose key ends with ``/`` takes what follows it too.
    """

    def __init__(self, routes: Mapping[str, Route], others: ASGIApp, metrics: AnswerMetrics) -> None:
        self._routes = dict(routes)
        self._prefixes = tuple((key, route) for key, route in routes.items() if key.endswith("/"))
        self._others = others
        self._errors = metrics.errors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_REALMS):
            await self._others(scope, receive, send)
            return
        realm, _, rest = scope["path"][len(_REALMS) :].partition("/")
        route = self._routes.get(rest) or self._by_prefix(rest)
        try:
            reply = await self._answer(scope, receive, realm, route)
        except DisconnectedError:
            return
        except Exception as error:  # noqa: BLE001 - a bug in one request must show, and must not end the node
            self._errors.labels(type(error).__name__).inc()
            _log.error("request_failed", path=rest, exc_info=error)
            reply = oauth_error(500, "server_error", "This request failed unexpectedly")
        await _send(send, reply)

    async def _answer(self, scope: Scope, receive: Receive, realm: str, route: Route | None) -> Reply:
        if route is None or not realm:
            return json_reply(404, {"error": "Not Found"})
        method = scope["method"]
        if route.methods is not None and method not in route.methods:
            allowed = ", ".join(route.methods).encode()
            return json_reply(405, {"error": "Method Not Allowed"}, [(b"allow", allowed)])
        try:
            body = await _read_body(receive, route.body_limit)
        except BodyTooLargeError:
            # The rest of the body is not read, so the connection cannot be used again.
            return json_reply(413, {"error": "Content Too Large"}, [(b"connection", b"close")])
        client = scope.get("client")
        address = client[0] if client else ""
        return await route.endpoint(
            Request(method, realm, scope["query_string"], scope["headers"], body, address)
        )

    def _by_prefix(self, rest: str) -> Route | None:
        for prefix, route in self._prefixes:
            if rest.startswith(prefix):
                return route
        return None


async def _read_body(receive: Receive, limit: int) -> bytes:
    message = await receive()
    if message["type"] != "http.request":
        raise DisconnectedError
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(body) > limit:
            raise BodyTooLargeError
        return body
    chunks, size = [body], len(body)
    while message.get("more_body", False):
        if size > limit:
            raise BodyTooLargeError
        message = await receive()
        if message["type"] != "http.request":
            raise DisconnectedError
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
    if size > limit:
        raise BodyTooLargeError
    return b"".join(chunks)


async def _send(send: Send, reply: Reply) -> None:
    headers = reply.headers
    if reply.status not in (204, 304):
        headers = [*headers, (b"content-length", str(len(reply.body)).encode())]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
