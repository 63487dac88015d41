"""Routes requests to endpoints. Served by ``protocol`` or any ASGI server."""

import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Final

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from keyturn_shared.errors import KeyturnError
from keyturn_shared.oauth.metrics import AnswerMetrics
from keyturn_shared.oauth.web.errors import oauth_error
from keyturn_shared.oauth.web.messages import Headers, Reply, Request, json_reply
from keyturn_shared.web.health import Readiness
from keyturn_shared.web.request_metrics import EndpointMetrics

Lifespan = Callable[[], AbstractAsyncContextManager[None]]
Endpoint = Callable[[Request], Awaitable[Reply]]
AnswerAtOnce = Callable[[Request], Reply | None]

_REALMS: Final = "/realms/"
_WELL_KNOWN: Final = "/.well-known/"
_OTHER_BODY_LIMIT: Final = 0
"""Health and metrics take no body."""
_MISSING_BODY_LIMIT: Final = 64 * 1024
"""Body bytes read for an unknown path, so that the answer is 404 and not 413."""
_OTHERS: Final = ("/health/", "/metrics")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint of a realm. ``methods``: None for any. ``body_limit``: bytes; ``without_header``: a lower
    limit in bytes for a request without an Authorization header. ``at_once``: answers without waiting, or
    returns None or raises KeyturnError where ``endpoint`` must answer. ``counted``: where its replies are
    counted."""

    endpoint: Endpoint
    methods: tuple[str, ...] | None
    body_limit: int
    without_header: int | None = None
    at_once: AnswerAtOnce | None = None
    counted: EndpointMetrics | None = None

    def limit_for(self, headers: Headers) -> int:
        """Return the body limit in bytes for a request with these headers."""
        if self.without_header is None or any(name == b"authorization" for name, _ in headers):
            return self.body_limit
        return min(self.body_limit, self.without_header)


async def _nothing_missing() -> dict[str, str]:
    return {}


class VerifierApplication:
    """Routes by the path below ``/realms/{realm}/``; everything else goes to ``others``.

    ``routes``: keyed by the rest of the path. A key that ends with ``/`` matches everything below it.
    ``well_known``: keyed by the path before the realm's name, where the name comes last (RFC 8414 section
    3.1). ``lifespan``: entered by the server while it serves this. ``not_ready``: what ``/health/ready``
    asks. ``elapsed``: the clock for the time a reply takes."""

    def __init__(
        self,
        routes: Mapping[str, Route],
        others: ASGIApp,
        metrics: AnswerMetrics,
        well_known: Mapping[str, Route] | None = None,
        lifespan: Lifespan = nullcontext,
        not_ready: Readiness = _nothing_missing,
        *,
        elapsed: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.lifespan = lifespan
        self.not_ready = not_ready
        self._routes = dict(routes)
        self._well_known = dict(well_known or {})
        self._prefixes = tuple((key, route) for key, route in routes.items() if key.endswith("/"))
        self._others = others
        self._other = Route(self._ask_others, ("GET", "HEAD"), _OTHER_BODY_LIMIT)
        self._missing = Route(self._not_found, None, _MISSING_BODY_LIMIT)
        self._said_prefix = False
        self._elapsed = elapsed
        self._errors = metrics.errors
        self._refusals = metrics.http_refusals

    def find(self, path: str) -> tuple[str, Route]:
        """Return the realm that a decoded path names, if any, and its route."""
        if path.startswith(_WELL_KNOWN):
            return self._find_well_known(path)
        if not path.startswith(_REALMS):
            # "*" means the server itself (RFC 9110 section 9.3.7).
            return "", self._other if path.startswith(_OTHERS) or path in ("*", "/*", "") else self._missing
        realm, _, rest = path[len(_REALMS) :].partition("/")
        route = self._routes.get(rest) or self._by_prefix(rest)
        return (realm, route) if route is not None and realm else (realm, self._missing)

    def reply_at_once(self, route: Route, request: Request) -> Reply | None:
        """Return the answer if it can be given without waiting. None: ask for ``reply``."""
        if route.at_once is None or (route.methods is not None and request.method not in route.methods):
            return None
        begun = self._elapsed()
        try:
            reply = route.at_once(request)
        except KeyturnError:
            return None
        except Exception as error:  # noqa: BLE001 - as in reply
            reply = self._failed(request, error)
        if reply is not None and route.counted is not None:
            route.counted.note(reply.status, self._elapsed() - begun)
        return reply

    async def reply(self, route: Route, request: Request) -> Reply:
        """Return the answer in every case: a bug in one request must show, and must not end the node."""
        begun = self._elapsed()
        reply = await self._reply(route, request)
        if route.counted is not None:
            route.counted.note(reply.status, self._elapsed() - begun)
        return reply

    async def _reply(self, route: Route, request: Request) -> Reply:
        if route.methods is not None and request.method not in route.methods:
            self.refused(405)
            allowed = ", ".join(route.methods).encode()
            return json_reply(405, {"error": "Method Not Allowed"}, [(b"allow", allowed)])
        try:
            return await route.endpoint(request)
        except Exception as error:  # noqa: BLE001 - see above
            return self._failed(request, error)

    def _failed(self, request: Request, error: Exception) -> Reply:
        self._errors.labels(type(error).__name__).inc()
        _log.error("request_failed", path=request.path, exc_info=error)
        return oauth_error(500, "server_error", "This request failed unexpectedly")

    def refused(self, status: int) -> None:
        """Count a request that was refused as HTTP."""
        self._refusals.labels(str(status)).inc()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle an ASGI 3 connection."""
        if scope["type"] != "http":
            await self._others(scope, receive, send)
            return
        realm, route = self.find(scope["path"])
        body = await _read_body(receive, route.limit_for(scope["headers"]))
        if body is None:
            self.refused(413)
            reply = too_large()
        else:
            client = scope.get("client")
            request = Request(
                scope["method"],
                scope["path"],
                realm,
                scope["query_string"],
                scope["headers"],
                body,
                client[0] if client else "",
            )
            reply = self.reply_at_once(route, request) or await self.reply(route, request)
        headers = [*reply.headers, *length_of(reply)]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    def _find_well_known(self, path: str) -> tuple[str, Route]:
        before, separator, realm = path.rpartition("/")
        route = self._well_known.get(before + separator)
        return (realm, route) if route is not None and realm else (realm, self._missing)

    async def _not_found(self, request: Request) -> Reply:
        # Log it once: anyone can request such paths.
        if not self._said_prefix and _REALMS in request.path and not request.path.startswith(_REALMS):
            self._said_prefix = True
            _log.warning(
                "path_prefix_not_stripped",
                path=request.path[:200],
                detail="the gateway must remove the path before /realms/ in KEYTURN_PUBLIC_URL",
            )
        return json_reply(404, {"error": "Not Found"})

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
    """Refuse a body that is too large. Its rest is not read, so the connection cannot be reused."""
    return json_reply(413, {"error": "Content Too Large"}, [(b"connection", b"close")])


def length_of(reply: Reply) -> Headers:
    """Return the Content-Length field, if the reply has one (RFC 9110 section 8.6)."""
    if reply.status in (204, 304):
        return []
    return [(b"content-length", b"%d" % len(reply.body))]


async def _read_body(receive: Receive, limit: int) -> bytes | None:
    """Read the body. Return None if it is too long or the sender disconnected."""
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
