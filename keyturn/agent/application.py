"""Responses of the agent, as an ASGI application.

``GET /token`` has the shape of a token endpoint's response (RFC 6749 section 5.1), with ``scope`` and
``resource`` in the query. ``GET /health`` is 200 once a token could be had, whatever has become of the sinks,
which it lists by name. ``GET /k_jwks`` is the key set of a client with keys, which may also be served alone,
to everybody.
"""

import json
import time
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import parse_qs

import httpx

from keyturn.agent.sinks.status import Status
from keyturn.agent.tokens import MAX_KINDS, Kind, Tokens, TooManyKindsError
from keyturn.client.access_token import NoTokenError
from keyturn.client.jwks_endpoint import JwksEndpoint
from keyturn.client.keys import ClientKeys
from keyturn.client.signer import SignerError
from keyturn_shared.asgi import Message, Receive, Send

HEADER: Final = b"keyturn-agent"
"""Required over TCP: servers that can be made to fetch URLs do not send it."""
JWKS_PATH: Final = "/k_jwks"
_OF_BROWSERS: Final = frozenset({b"origin", b"referer", b"sec-fetch-site", b"sec-fetch-mode"})
_HOSTS: Final = ("127.0.0.1", "localhost")
_PARAMETERS: Final = ("scope", "resource")
_RETRY_SECONDS: Final = 5


class RefusedError(Exception):
    """A response other than 200. ``again``: whether the caller should try again."""

    def __init__(self, status: int, error: str, description: str, *, again: bool = False) -> None:
        super().__init__(description)
        self.status = status
        self.body: dict[str, Any] = {"error": error, "error_description": description}
        self.again = again


class AgentApplication:
    """Answers the program beside the agent. ``port``: on which it listens, None for a Unix socket. ``keys``:
    of a client that has some. ``sinks``: shown by ``/health``."""

    def __init__(
        self,
        tokens: Tokens,
        http: httpx.AsyncClient,
        *,
        port: int | None,
        keys: ClientKeys | None = None,
        sinks: Sequence[Status] = (),
    ) -> None:
        self._tokens = tokens
        self._http = http
        self._port = port
        self._jwks = None if keys is None else JwksEndpoint(keys)
        self._sinks = sinks

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        try:
            if self._port is not None:
                _require_program(dict(scope["headers"]), self._port)
            if self._jwks is not None and scope["path"] == JWKS_PATH:
                await self._jwks(scope, receive, send)
                return
            status, body, again = 200, await self._answer(scope), False
        except RefusedError as refused:
            status, body, again = refused.status, refused.body, refused.again
        text = json.dumps(body).encode()
        headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
        headers.append((b"content-length", str(len(text)).encode()))
        if again:
            headers.append((b"retry-after", str(_RETRY_SECONDS).encode()))
        if status == 405:
            headers.append((b"allow", b"GET"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": text})

    async def _answer(self, scope: Message) -> dict[str, Any]:
        if scope["path"] not in ("/token", "/health"):
            served = "/token and /health" if self._jwks is None else f"/token, /health and {JWKS_PATH}"
            raise RefusedError(404, "not_found", f"There are {served}")
        if scope["method"] != "GET":
            raise RefusedError(405, "method_not_allowed", "Use GET")
        if scope["path"] == "/health":
            return await self._health()
        return await self._token(_kind_of(scope["query_string"]))

    async def _health(self) -> dict[str, Any]:
        """Return the sinks with either answer: 200, or that of RefusedError."""
        sinks = {"sinks": {each.label: each.shown() for each in self._sinks}} if self._sinks else {}
        try:
            await self._token((None, None))
        except RefusedError as refused:
            refused.body |= sinks
            raise
        return {"status": "ok", **sinks}

    async def _token(self, kind: Kind) -> dict[str, Any]:
        try:
            token = await self._tokens.get(self._http, kind)
        except NoTokenError as error:
            if error.status >= 500 or error.status == 429:
                raise RefusedError(503, "temporarily_unavailable", error.detail, again=True) from None
            raise RefusedError(502, "no_token", f"The token endpoint refused: {error.detail}") from None
        except httpx.HTTPError as error:
            detail = f"The token endpoint cannot be reached: {type(error).__name__}"
            raise RefusedError(503, "temporarily_unavailable", detail, again=True) from None
        except SignerError as error:
            raise RefusedError(503, "temporarily_unavailable", error.detail, again=True) from None
        except TooManyKindsError:
            detail = f"More than {MAX_KINDS} combinations of scope and resource"
            raise RefusedError(400, "invalid_request", detail) from None
        left = max(0, int(token.expires_at - time.time()))
        return {"access_token": token.text, "token_type": "Bearer", "expires_in": left}


class PublishedKeys:
    """Serves the client's key set at one path, and nothing else."""

    def __init__(self, keys: ClientKeys) -> None:
        self._jwks = JwksEndpoint(keys)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["path"] == JWKS_PATH:
            await self._jwks(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


def _require_program(headers: dict[bytes, bytes], port: int) -> None:
    """Raise RefusedError for a page in a browser, also one whose name leads to this machine, and for a caller
    that does not know that this is an agent."""
    if headers.get(HEADER) != b"true":
        raise RefusedError(403, "access_denied", "Send the header Keyturn-Agent: true")
    if headers.get(b"host", b"").decode("latin-1") not in [f"{host}:{port}" for host in _HOSTS]:
        raise RefusedError(403, "access_denied", f"Call http://127.0.0.1:{port}")
    if not _OF_BROWSERS.isdisjoint(headers):
        raise RefusedError(403, "access_denied", "The agent does not answer browsers")


def _kind_of(query: bytes) -> Kind:
    try:
        given = parse_qs(query.decode("ascii"), keep_blank_values=True, strict_parsing=bool(query))
    except (ValueError, UnicodeDecodeError):
        raise RefusedError(400, "invalid_request", "The query is malformed") from None
    for name, values in given.items():
        if name not in _PARAMETERS:
            raise RefusedError(400, "invalid_request", "The parameters are scope and resource")
        if len(values) > 1:
            raise RefusedError(400, "invalid_request", f"{name} occurs more than once")
    scope, resource = (next(iter(given.get(name, ())), "") or None for name in _PARAMETERS)
    return scope, resource
