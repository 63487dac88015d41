"""ASGI middleware: lets only requests with a valid access token through (RFC 6750, RFC 9449 section 7)."""

import json
from collections.abc import Callable, Collection, MutableMapping
from typing import Any, Final
from urllib.parse import quote

from keyturn.resource_server.errors import TokenRefusedError, VerifierUnavailableError
from keyturn.resource_server.verifier import PresentedRequest, VerifiedToken, Verifier
from keyturn_shared.asgi import ASGIApp, Receive, Scope, Send
from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES
from keyturn_shared.oauth.certificates.client_certificate import ClientCertificate
from keyturn_shared.oauth.errors import unavailable_status

SCOPE_KEY: Final = "keyturn.token"
_ALGORITHMS: Final = " ".join(sorted(ASYMMETRIC_NAMES))
_UNAUTHENTICATED_CLOSE: Final = 1008  # RFC 6455 7.4.1: policy violation

Certificates = Callable[[Scope], ClientCertificate | None]


class BearerMiddleware:
    """Checks each request's token, and puts the result into the ASGI scope.

    ``scopes``: all of them are required. ``audience``: by default the verifier's. ``public``: paths that need
    no token, as they are in the scope. ``base_url``: this service's URL as callers know it, which DPoP proofs
    name; by default from the request's scheme and Host header. ``certificates``: returns the client's
    certificate, for tokens bound to one; without it they are refused.
    """

    def __init__(
        self,
        app: ASGIApp,
        verifier: Verifier,
        *,
        scopes: Collection[str] = (),
        audience: str | None = None,
        public: Collection[str] = (),
        base_url: str | None = None,
        certificates: Certificates = lambda _: None,
    ) -> None:
        self._app = app
        self._verifier = verifier
        self._scopes = tuple(scopes)
        self._audience = audience
        self._public = frozenset(public)
        self._base_url = None if base_url is None else base_url.rstrip("/")
        self._certificates = certificates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope["path"] in self._public:
            await self._app(scope, receive, send)
            return
        refusal = await self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": _UNAUTHENTICATED_CLOSE})
        else:
            await refusal(send)

    async def _refusal(self, scope: Scope) -> "_Refusal | None":
        realm = self._verifier.realm
        headers = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(headers) > 1:
            return _Refusal(400, "invalid_request", "more than one Authorization header")
        scheme, _, token = (headers[0].decode("latin-1") if headers else "").partition(" ")
        by_dpop = scheme.lower() == "dpop"
        if not by_dpop and scheme.lower() != "bearer":
            return _Refusal(401, None, "an access token is required", _challenges(realm))
        proofs = [value for name, value in scope["headers"] if name == b"dpop"]
        if len(proofs) > 1:
            return _Refusal(400, "invalid_request", "more than one DPoP header")
        presented = PresentedRequest(
            scope.get("method", "GET"),
            (self._url(scope),),
            by_dpop,
            proofs[0].decode("latin-1") if proofs else None,
            lambda: self._certificates(scope),
        )
        try:
            scope[SCOPE_KEY] = await self._verifier.verify_access_token(
                token.strip(), audience=self._audience, scopes=self._scopes, request=presented
            )
        except VerifierUnavailableError as error:
            retry = [(b"retry-after", str(error.retry_after).encode())]
            return _Refusal(unavailable_status(error.reason), "temporarily_unavailable", "try again", retry)
        except TokenRefusedError as error:
            return self._refused(error, realm, by_dpop=by_dpop)
        return None

    def _refused(self, error: TokenRefusedError, realm: str, *, by_dpop: bool) -> "_Refusal":
        if error.reason == "insufficient_scope":
            return _Refusal(
                403,
                "insufficient_scope",
                "the token lacks a scope",
                _challenge(realm, "insufficient_scope", by_dpop=by_dpop, scopes=self._scopes),
            )
        code = error.reason if error.reason == "invalid_dpop_proof" else "invalid_token"
        return _Refusal(401, code, "the token is not valid", _challenge(realm, code, by_dpop=by_dpop))

    def _url(self, scope: Scope) -> str:
        base = self._base_url
        if base is None:
            host = next((value for name, value in scope["headers"] if name == b"host"), b"")
            base = f"{scope.get('scheme', 'http')}://{host.decode('latin-1')}"
        path = scope.get("raw_path") or quote(scope["path"]).encode()
        return base + path.partition(b"?")[0].decode("latin-1")


def verified_token(scope: MutableMapping[str, Any]) -> VerifiedToken:
    """Return the token of a request that passed; a Starlette or FastAPI request is such a mapping. Raises
    KeyError for a request that did not pass the middleware."""
    token = scope[SCOPE_KEY]
    assert isinstance(token, VerifiedToken)  # noqa: S101 - only the middleware writes under this key
    return token


class _Refusal:
    def __init__(
        self,
        status: int,
        error: str | None,
        description: str,
        headers: list[tuple[bytes, bytes]] | None = None,
    ) -> None:
        self._status = status
        body = (
            {"error_description": description}
            if error is None
            else {"error": error, "error_description": description}
        )
        self._body = json.dumps(body).encode()
        self._headers = headers or []

    async def __call__(self, send: Send) -> None:
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(self._body)).encode()),
            (b"cache-control", b"no-store"),
            *self._headers,
        ]
        await send({"type": "http.response.start", "status": self._status, "headers": headers})
        await send({"type": "http.response.body", "body": self._body})


def _challenges(realm: str) -> list[tuple[bytes, bytes]]:
    """Build the challenge for a request without a token: no error code (RFC 6750 section 3.1)."""
    quoted = _quoted(realm)
    return [
        (b"www-authenticate", f'Bearer realm="{quoted}"'.encode()),
        (b"www-authenticate", f'DPoP realm="{quoted}", algs="{_ALGORITHMS}"'.encode()),
    ]


def _challenge(
    realm: str, error: str, *, by_dpop: bool, scopes: Collection[str] = ()
) -> list[tuple[bytes, bytes]]:
    parts = [f'realm="{_quoted(realm)}"', f'error="{error}"']
    if scopes:
        parts.append(f'scope="{_quoted(" ".join(scopes))}"')
    if by_dpop:
        parts.append(f'algs="{_ALGORITHMS}"')
    return [(b"www-authenticate", f"{'DPoP' if by_dpop else 'Bearer'} {', '.join(parts)}".encode())]


def _quoted(text: str) -> str:
    return "".join(char for char in text if " " <= char <= "~" and char not in '"\\')
