"""Endpoints of ``keyturn_shared.oauth`` as routes of this service."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog
from starlette import requests, responses
from starlette.routing import BaseRoute, Route

from keyturn_credentials.http.proxied import PEER
from keyturn_shared.oauth.metrics import AnswerMetrics
from keyturn_shared.oauth.web.errors import oauth_error
from keyturn_shared.oauth.web.messages import Reply, Request, json_reply

BODY_LIMIT: Final = 64 * 1024
_METADATA: Final = ("openid-configuration", "oauth-authorization-server")
_EVERY_METHOD: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RealmEndpoint:
    """An endpoint of a realm, and its methods."""

    answer: Callable[[Request], Awaitable[Reply]]
    methods: tuple[str, ...]


class Endpoints:
    """Makes routes."""

    def __init__(self, metrics: AnswerMetrics) -> None:
        self._errors = metrics.errors
        self._refusals = metrics.http_refusals

    def routes(
        self, endpoints: Mapping[str, RealmEndpoint], *, discovery: RealmEndpoint, public_path: str
    ) -> Iterable[BaseRoute]:
        """Make the routes of a realm.

        ``endpoints``: keyed by the rest of the path. ``discovery``: the metadata, which RFC 8414 section 3.1
        also puts behind the well-known path; ``public_path``: of the public URL, which a gateway may strip or
        keep.
        """
        for rest, endpoint in endpoints.items():
            yield self._route(f"/realms/{{realm}}/{rest}".rstrip("/"), endpoint)
        for kind in _METADATA:
            yield self._route(f"/realms/{{realm}}/.well-known/{kind}", discovery)
            for before in dict.fromkeys(("", public_path.rstrip("/"))):
                yield self._route(f"/.well-known/{kind}{before}/realms/{{realm}}", discovery)

    def _route(self, path: str, endpoint: RealmEndpoint) -> Route:
        async def answer(request: requests.Request) -> responses.Response:
            reply = await self._answer(request, endpoint)
            response = responses.Response(reply.body, reply.status)
            response.raw_headers[:0] = reply.headers
            return response

        # All methods, so that wrong ones are refused here, with the same response as on a node.
        return Route(path, answer, methods=_EVERY_METHOD)

    async def _answer(self, request: requests.Request, endpoint: RealmEndpoint) -> Reply:
        if request.method not in endpoint.methods:
            return self._refuse(405, "Method Not Allowed", (b"allow", ", ".join(endpoint.methods).encode()))
        body = await _read_body(request)
        if body is None:
            return self._refuse(413, "Content Too Large", (b"connection", b"close"))
        given = Request(
            request.method,
            request.url.path,
            request.path_params["realm"],
            request.scope["query_string"],
            request.scope["headers"],
            body,
            request.scope.get(PEER, ""),
        )
        try:
            return await endpoint.answer(given)
        except Exception as error:  # noqa: BLE001 - as on a node: it must show, as an OAuth error
            self._errors.labels(type(error).__name__).inc()
            _log.error("request_failed", path=given.path, exc_info=error)
            return oauth_error(500, "server_error", "This request failed unexpectedly")

    def _refuse(self, status: int, error: str, header: tuple[bytes, bytes]) -> Reply:
        self._refusals.labels(str(status)).inc()
        return json_reply(status, {"error": error}, [header])


async def _read_body(request: requests.Request) -> bytes | None:
    """Read the body; None if it is longer than allowed."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            return None
    return bytes(body)
