"""Access tokens for httpx: requested with private_key_jwt, reused until shortly before they expire."""

import time
import uuid
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass
from typing import Any, Final

import httpx

from keyturn.client.keys import ClientKeys
from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose.signing import SigningKey

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523 2.2
_LIFETIME_SECONDS: Final = 30
_EARLY_SECONDS: Final = 30.0


class NoTokenError(KeyturnError):
    """The token endpoint issued no token; ``status`` of its response, with its OAuth error in the detail."""

    code = "no_token"

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    good_until: float


class ClientCredentials(httpx.Auth):
    """``httpx.AsyncClient(auth=ClientCredentials(...))``, and the same for ``httpx.Client``.

    ``issuer``: of the realm, ``https://…/realms/acme``; by default the token endpoint is at Keycloak's path
    below it. ``scope``, ``resource``: requested values. A token is renewed half a minute before it expires,
    by one request while the others go on using it; a request that is answered 401 is sent once more with a
    new token.
    """

    def __init__(
        self,
        issuer: str,
        client_id: str,
        keys: ClientKeys,
        *,
        scope: str | None = None,
        resource: str | None = None,
        token_endpoint: str | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._keys = keys
        self._asked = {name: value for name, value in (("scope", scope), ("resource", resource)) if value}
        self._endpoint = token_endpoint or f"{issuer}/protocol/openid-connect/token"
        self._now = now
        self._token: _Token | None = None
        self._renewing = False

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Run the flow for httpx.Client. Only responses of the token endpoint are read here."""
        flow = self.auth_flow(request)
        wanted = next(flow)
        while True:
            response = yield wanted
            if wanted is not request:
                response.read()
            try:
                wanted = flow.send(response)
            except StopIteration:
                return

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Run the flow for httpx.AsyncClient."""
        flow = self.auth_flow(request)
        wanted = next(flow)
        while True:
            response = yield wanted
            if wanted is not request:
                await response.aread()
            try:
                wanted = flow.send(response)
            except StopIteration:
                return

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Authorize the request. Raises NoTokenError if no token can be obtained."""
        token = self._token
        if token is None or (self._now() >= token.good_until - _EARLY_SECONDS and not self._renewing):
            token = yield from self._renew(token)
        request.headers["Authorization"] = f"Bearer {token.text}"
        response = yield request
        if response.status_code == 401:
            if self._token is token:
                token = yield from self._renew(None)
            elif self._token is not None:
                token = self._token
            request.headers["Authorization"] = f"Bearer {token.text}"
            yield request

    def token_request(self, key: SigningKey | None = None) -> httpx.Request:
        """Build a token request with a new assertion, signed by a key of the client."""
        key = key or self._keys.signing
        now = int(self._now())
        claims = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": self._issuer,
            "jti": str(uuid.uuid4()),
            "iat": now,
            "exp": now + _LIFETIME_SECONDS,
        }
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": key.sign_compact(key.header_segment(), claims),
            **self._asked,
        }
        return httpx.Request("POST", self._endpoint, data=form)

    def _renew(self, former: _Token | None) -> Generator[httpx.Request, httpx.Response, _Token]:
        self._renewing = True
        try:
            answer = yield self.token_request()
            if answer.status_code != 200 and former is not None and self._now() < former.good_until:
                return former  # still valid: the next request tries again
            self._token = self._read(answer)
            return self._token
        finally:
            self._renewing = False

    def _read(self, answer: httpx.Response) -> _Token:
        try:
            body: Any = answer.json()
            text, seconds = body["access_token"], body.get("expires_in", 0)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise NoTokenError(answer.status_code, f"{answer.status_code}: {answer.text[:200]}") from None
        return _Token(text, self._now() + seconds)
