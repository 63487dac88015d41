"""Finds the endpoint of a request and asks it. Served by ``protocol``, or by any ASGI server."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from keyturn_verifier.metrics import AnswerMetrics
from keyturn_verifier.web.errors import oauth_error
from keyturn_verifier.web.exchange import Headers, Reply, Request, json_reply

Endpoint = Callable[[Request], Awaitable[Reply]]

_REALMS: Final = "/realms/"
_WELL_KNOWN: Final = "/.well-known/"
_OTHER_BODY_LIMIT: Final = 0
"""Health and metrics take no body."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint of a realm. ``methods``: None for any. ``body_limit``: bytes."""

    endpoint: Endpoint
    methods: tuple[str, ...] | None
    body_limit: int


class VerifierApplication:
    """Routes by the path below ``/realms/{realm}/``; everything else goes to ``others``.

    ``routes``: by the rest of the path. A route whose key ends with ``/`` takes what follows it too.
    ``well_known``: by the path before the realm's name, where the name comes last (RFC 8414 3.1).
    """

    def __init__(
        self,
        routes: Mapping[str, Route],
        others: ASGIApp,
        metrics: AnswerMetrics,
        well_known: Mapping[str, Route] | None = None,
    ) -> None:
        self._routes = dict(routes)
        self._well_known = dict(well_known or {})
        self._prefixes = tuple((key, route) for key, route in routes.items() if key.endswith("/"))
        self._others = others
        self._other = Route(self._ask_others, ("GET", "HEAD"), _OTHER_BODY_LIMIT)
        self._missing = Route(_not_found, None, _OTHER_BODY_LIMIT)
        self._errors = metrics.errors
        self._refusals = metrics.http_refusals

    def find(self, path: str) -> tuple[str, Route]:
        """The realm a decoded path names, if any, and what answers it."""
        if not path.startswith(_REALMS):
            return self._find_well_known(path) if path.startswith(_WELL_KNOWN) else ("", self._other)
        realm, _, rest = path[len(_REALMS) :].partition("/")
        route = self._routes.get(rest) or self._by_prefix(rest)
        return (realm, route) if route is not None and realm else (realm, self._missing)

    async def reply(self, route: Route, request: Request) -> Reply:
        """The answer, whatever happens: a bug in one request must show, and must not end the node."""
        if route.methods is not None and request.method not in route.methods:
            self.refused(405)
            allowed = ", ".join(route.methods).encode()
            return json_reply(405, {"error": "Method Not Allowed"}, [(b"allow", allowed)])
        try:
            return await route.endpoint(request)
        except Exception as error:  # noqa: BLE001 - see above
            self._errors.labels(type(error).__name__).inc()
            _log.error("request_failed", path=request.path, exc_info=error)
            return oauth_error(500, "server_error", "This request failed unexpectedly")

    def refused(self, status: int) -> None:
        """A request was refused for what it is as HTTP."""
        self._refusals.labels(str(status)).inc()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI 3."""
        if scope["type"] != "http":
            await self._others(scope, receive, send)
            return
        realm, route = self.find(scope["path"])
        body = await _read_body(receive, route.body_limit)
        if body is None:
            self.refused(413)
            reply = too_large()
        else:
            client = scope.get("client")
            reply = await self.reply(
                route,
                Request(
                    scope["method"],
                    scope["path"],
                    realm,
                    scope["query_string"],
                    scope["headers"],
                    body,
                    client[0] if client else "",
                ),
            )
        headers = [*reply.headers, *length_of(reply)]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    def _find_well_known(self, path: str) -> tuple[str, Route]:
        before, separator, realm = path.rpartition("/")
        route = self._well_known.get(before + separator)
        return (realm, route) if route is not None and realm else (realm, self._missing)

    def _by_prefix(self, rest: str) -> Route | None:
        for prefix, route in self._prefixes:
            if rest.startswith(prefix):
                return route
        return None

    async def _ask_others(self, request: Request) -> Reply:
        reply = Reply(500)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": request.body}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                reply.status = message["status"]
                reply.headers = [pair for pair in message["headers"] if pair[0] != b"content-length"]
            else:
                reply.body += message.get("body", b"")

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": request.path,
            "raw_path": request.path.encode(),
            "root_path": "",
            "query_string": request.query,
            "headers": request.headers,
            "client": (request.address, 0),
        }
        await self._others(scope, receive, send)
        return reply


def too_large() -> Reply:
    """The rest of the body is not read, so the connection cannot be used again."""
    return json_reply(413, {"error": "Content Too Large"}, [(b"connection", b"close")])


def length_of(reply: Reply) -> Headers:
    """The Content-Length field, where a reply has one (RFC 9110 8.6)."""
    if reply.status in (204, 304):
        return []
    return [(b"content-length", b"%d" % len(reply.body))]


async def _not_found(_: Request) -> Reply:
    return json_reply(404, {"error": "Not Found"})


async def _read_body(receive: Receive, limit: int) -> bytes | None:
    """The body, or None when it is longer than that or its sender went away."""
    chunks: list[bytes] = []
    left, more = limit, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        chunk = message.get("body", b"")
        chunks.append(chunk)
        left -= len(chunk)
        if left < 0:
            return None
        more = message.get("more_body", False)
    return b"".join(chunks)
