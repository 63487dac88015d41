"""``/k_jwks``, the path at which Keycloak's adapters publish a client's keys: an ASGI application."""

import hashlib
import json
from typing import Final

from keyturn.client.keys import ClientKeys
from keyturn_shared.asgi import Receive, Scope, Send

MAX_AGE_SECONDS: Final = 10


class JwksEndpoint:
    """Answers GET and HEAD with the current JWK Set, at any path it is mounted."""

    def __init__(self, keys: ClientKeys, *, max_age: int = MAX_AGE_SECONDS) -> None:
        self._keys = keys
        self._max_age = max_age

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        status, body = 200, json.dumps(self._keys.jwks).encode()
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'.encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"cache-control", f"max-age={self._max_age}".encode()),
            (b"etag", tag),
        ]
        if scope["method"] not in ("GET", "HEAD"):
            status, body, headers = 405, b"", [(b"allow", b"GET, HEAD")]
        elif (b"if-none-match", tag) in scope["headers"]:
            status, body = 304, b""
        if status != 304:
            headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
