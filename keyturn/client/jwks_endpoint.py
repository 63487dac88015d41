"""``/k_jwks``, the path at which Keycloak's adapters publish a client's keys: for ASGI and for WSGI."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

from keyturn.client.keys import ClientKeys
from keyturn_shared.asgi import Receive, Scope, Send

MAX_AGE_SECONDS: Final = 10

Answer = tuple[HTTPStatus, list[tuple[str, str]], bytes]
"""Status, fields and body."""


class _Endpoint:
    """Makes the responses."""

    def __init__(self, keys: ClientKeys, *, max_age: int = MAX_AGE_SECONDS) -> None:
        self._keys = keys
        self._max_age = max_age

    def _answer(self, method: str, known: str | None) -> Answer:
        """Return the response. ``known``: If-None-Match (RFC 9110 section 13.1.2)."""
        if method not in ("GET", "HEAD"):
            fields = [("allow", "GET, HEAD"), ("content-type", "text/plain"), ("content-length", "0")]
            return HTTPStatus.METHOD_NOT_ALLOWED, fields, b""
        body = json.dumps(self._keys.jwks).encode()
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        fields = [("cache-control", f"max-age={self._max_age}"), ("etag", tag)]
        if known == tag:
            return HTTPStatus.NOT_MODIFIED, fields, b""
        fields += [("content-type", "application/json"), ("content-length", str(len(body)))]
        return HTTPStatus.OK, fields, b"" if method == "HEAD" else body


class JwksEndpoint(_Endpoint):
    """An ASGI application that answers GET and HEAD with the current JWK Set, at any path it is mounted.
    ``max_age``: seconds for which it may be cached."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        known = dict(scope["headers"]).get(b"if-none-match")
        status, fields, body = self._answer(scope["method"], known and known.decode("latin-1"))
        headers = [(name.encode(), value.encode()) for name, value in fields]
        await send({"type": "http.response.start", "status": status.value, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class WsgiJwksEndpoint(_Endpoint):
    """The same as a WSGI application (PEP 3333), for Flask, Django and others."""

    def __call__(
        self, environ: Mapping[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]
    ) -> Iterable[bytes]:
        status, fields, body = self._answer(environ["REQUEST_METHOD"], environ.get("HTTP_IF_NONE_MATCH"))
        start_response(f"{status.value} {status.phrase}", fields)
        return [body] if body else []
