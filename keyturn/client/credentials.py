"""Access tokens for httpx: requested with a secret or a key, reused until shortly before they expire."""

import base64
import math
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote_plus

import httpx

from keyturn.client.keys import ClientKeys
from keyturn.client.secrets import ClientSecret, SecretStateError
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
class AccessToken:
    """An access token, and when it expires (seconds of the caller's clock)."""

    text: str
    expires_at: float

    def __repr__(self) -> str:
        return "AccessToken(***)"


class ClientCredentials(httpx.Auth):
    """``httpx.AsyncClient(auth=ClientCredentials(...))``, and the same for ``httpx.Client``.

    ``issuer``: of the realm, ``https://…/realms/acme``; by default the token endpoint is at Keycloak's path
    below it. ``credential``: its keys for private_key_jwt, or its secret for client_secret_basic. ``scope``,
    ``resource``: requested values. A token is renewed half a minute before it expires, by one request while
    the others go on using it; a request that is answered 401 is sent once more with a new token.
    """

    def __init__(
        self,
        issuer: str,
        client_id: str,
        credential: ClientKeys | ClientSecret,
        *,
        scope: str | None = None,
        resource: str | None = None,
        token_endpoint: str | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._credential = credential
        self._asked = {name: value for name, value in (("scope", scope), ("resource", resource)) if value}
        self._endpoint = token_endpoint or f"{issuer}/protocol/openid-connect/token"
        self._now = now
        self._token: AccessToken | None = None
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
        if token is None or (self._now() >= token.expires_at - _EARLY_SECONDS and not self._renewing):
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

    async def token(self, http: httpx.AsyncClient) -> AccessToken:
        """Return a token, for callers that do not use httpx for their own requests: the one in use, or from
        half a minute before it expires a new one. While none can be had, a still valid one is returned.
        Concurrent calls send one request each. Raises NoTokenError and errors of httpx."""
        token = self._token
        if token is not None and self._now() < token.expires_at - _EARLY_SECONDS:
            return token
        flow = self._renew(token)
        try:
            request = next(flow)
            while True:
                request = flow.send(await http.send(request, auth=None))
        except StopIteration as end:
            renewed: AccessToken = end.value
            return renewed
        except httpx.HTTPError:
            if token is not None and self._now() < token.expires_at:
                return token
            raise
        finally:
            flow.close()

    def token_request(self, key: SigningKey | None = None) -> httpx.Request:
        """Build a token request. ``key``: to sign the assertion with, in place of the one in use."""
        form = {"grant_type": "client_credentials", **self._asked}
        if isinstance(self._credential, ClientSecret):
            return self._with_secret(self._endpoint, form, self._credential.reveal())
        key = key or self._credential.signing
        now = int(self._now())
        claims = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": self._issuer,
            "jti": str(uuid.uuid4()),
            "iat": now,
            "exp": now + _LIFETIME_SECONDS,
        }
        form |= {
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": key.sign_compact(key.header_segment(), claims),
        }
        return httpx.Request("POST", self._endpoint, data=form)

    def rotation_request(self, *, secret: str | None = None, confirmed: str | None = None) -> httpx.Request:
        """Build a request for the rotation of the client's secret. ``secret``: to authenticate with, in place
        of the one in use. ``confirmed``: id of a rotation whose new secret the client has stored. Raises
        TypeError for a client with keys."""
        if not isinstance(self._credential, ClientSecret):
            raise TypeError("a client with keys has no secret to rotate")
        url = f"{self._issuer}/rotation" + ("" if confirmed is None else "/delivered")
        form = {"rotation": confirmed or ""}
        return self._with_secret(url, form, secret or self._credential.reveal())

    def _with_secret(self, url: str, form: dict[str, str], secret: str) -> httpx.Request:
        """Build a request with HTTP Basic (RFC 6749 section 2.3.1)."""
        pair = f"{quote_plus(self._client_id)}:{quote_plus(secret)}"
        header = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return httpx.Request("POST", url, data=form, headers={"Authorization": header})

    def _renew(self, former: AccessToken | None) -> Generator[httpx.Request, httpx.Response, AccessToken]:
        self._renewing = True
        try:
            if isinstance(self._credential, ClientSecret):
                answer = yield from self._with_any_secret(self._credential)
            else:
                answer = yield self.token_request()
            if answer.status_code != 200 and former is not None and self._now() < former.expires_at:
                return former  # still valid: the next request tries again
            self._token = self._read(answer)
            return self._token
        finally:
            self._renewing = False

    def _with_any_secret(
        self, credential: ClientSecret
    ) -> Generator[httpx.Request, httpx.Response, httpx.Response]:
        """Send the secret in use. If it is refused, try the others, and go on with one that is accepted."""
        form, sent = {"grant_type": "client_credentials", **self._asked}, credential.reveal()
        refused = yield self._with_secret(self._endpoint, form, sent)
        if refused.status_code != 401:
            return refused
        for other in credential.others(sent):
            answer = yield self._with_secret(self._endpoint, form, other)
            if answer.status_code == 200:
                with suppress(SecretStateError):  # it is found again after a restart
                    credential.use(other)
                return answer
        return refused

    def _read(self, answer: httpx.Response) -> AccessToken:
        try:
            body: Any = answer.json()
            text, seconds = body["access_token"], float(body.get("expires_in", 0))
        except (ValueError, KeyError, TypeError, AttributeError):
            text, seconds = None, 0.0
        if answer.status_code != 200 or not isinstance(text, str) or not text or not math.isfinite(seconds):
            text = "the response has no token" if answer.status_code == 200 else answer.text[:200]
            raise NoTokenError(answer.status_code, f"{answer.status_code}: {text}")
        return AccessToken(text, self._now() + seconds)
