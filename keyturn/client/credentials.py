"""Access tokens for httpx: requested with a secret or a key, reused until shortly before they expire."""

import base64
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from contextlib import suppress
from typing import Final, TypeVar
from urllib.parse import quote_plus

import httpx

from keyturn.client.access_token import AccessToken
from keyturn.client.assertions import client_assertion, next_key_proof
from keyturn.client.key_state import KeyStateError
from keyturn.client.keys import ClientKeys
from keyturn.client.secrets import ClientSecret, SecretStateError
from keyturn.client.signer import Signer, SignerError

_EARLY_SECONDS: Final = 30.0

Used = TypeVar("Used", str, Signer)


class ClientCredentials(httpx.Auth):
    """``httpx.AsyncClient(auth=ClientCredentials(...))``, and the same for ``httpx.Client``.

    ``issuer``: of the realm, ``https://…/realms/acme``; by default the token endpoint is at Keycloak's path
    below it. ``credential``: its keys for private_key_jwt, or one key that is never rotated, or its secret
    for client_secret_basic. ``scope``, ``resource``: requested values. A token is renewed half a minute
    before it expires, by one request while the others go on using it; a request that is answered 401 is sent
    once more with a new token.
    """

    def __init__(
        self,
        issuer: str,
        client_id: str,
        credential: ClientKeys | ClientSecret | Signer,
        *,
        scope: str | None = None,
        resource: str | None = None,
        token_endpoint: str | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._credential = (
            credential if isinstance(credential, ClientKeys | ClientSecret) else ClientKeys(credential)
        )
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
        """Authorize the request. Raises NoTokenError if no token can be obtained, and SignerError if no key
        can sign."""
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
        Concurrent calls send one request each. Raises NoTokenError, SignerError and errors of httpx."""
        token = self._token
        if token is not None and self._now() < token.expires_at - _EARLY_SECONDS:
            return token
        flow = self._renew(token)
        try:
            request = next(flow)
            while True:
                request = flow.send(await http.send(request, auth=None, follow_redirects=False))
        except StopIteration as end:
            renewed: AccessToken = end.value
            return renewed
        except (httpx.HTTPError, SignerError):
            if token is not None and self._now() < token.expires_at:
                return token
            raise
        finally:
            flow.close()

    def token_request(self, key: Signer | None = None) -> httpx.Request:
        """Build a token request. ``key``: to sign the assertion with, in place of the one in use."""
        return self._token_request(key or self._in_use())

    def rotation_request(
        self,
        *,
        secret: str | None = None,
        confirmed: str | None = None,
        key: Signer | None = None,
        next_key: Signer | None = None,
    ) -> httpx.Request:
        """Build a request for the client's own rotation.

        ``secret``, ``key``: to authenticate with, in place of the one in use. ``confirmed``: id of a rotation
        whose new secret the client has stored. ``next_key``: a key to introduce, which signs that itself.
        Raises TypeError for what the client does not have.
        """
        has_keys = isinstance(self._credential, ClientKeys)
        if has_keys and (secret is not None or confirmed is not None):
            raise TypeError("a client with keys has no secret to rotate")
        if not has_keys and (key is not None or next_key is not None):
            raise TypeError("a client with a secret has no key to rotate")
        endpoint = f"{self._issuer}/rotation"
        used = secret or key or self._in_use()
        if isinstance(used, str):
            url = endpoint if confirmed is None else f"{endpoint}/delivered"
            return self._with_secret(url, {"rotation": confirmed or ""}, used)
        now, proof = int(self._now()), None
        if next_key is not None:
            proof = next_key_proof(next_key, self._client_id, endpoint, now)
        form = client_assertion(used, self._client_id, endpoint, now, next_key=proof)
        return httpx.Request("POST", endpoint if proof is None else f"{endpoint}/key", data=form)

    def _in_use(self) -> str | Signer:
        if isinstance(self._credential, ClientSecret):
            return self._credential.reveal()
        return self._credential.signing

    def _token_request(self, used: str | Signer) -> httpx.Request:
        form = {"grant_type": "client_credentials", **self._asked}
        if isinstance(used, str):
            return self._with_secret(self._endpoint, form, used)
        form |= client_assertion(used, self._client_id, self._issuer, int(self._now()))
        return httpx.Request("POST", self._endpoint, data=form)

    def _with_secret(self, url: str, form: dict[str, str], secret: str) -> httpx.Request:
        """Build a request with HTTP Basic (RFC 6749 section 2.3.1)."""
        pair = f"{quote_plus(self._client_id)}:{quote_plus(secret)}"
        header = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return httpx.Request("POST", url, data=form, headers={"Authorization": header})

    def _renew(self, former: AccessToken | None) -> Generator[httpx.Request, httpx.Response, AccessToken]:
        self._renewing = True
        try:
            if isinstance(self._credential, ClientSecret):
                secret = self._credential
                answer = yield from self._with_any(secret.reveal(), secret.others, secret.use)
            else:
                keys = self._credential
                answer = yield from self._with_any(keys.signing, keys.others, keys.use)
            if answer.status_code != 200 and former is not None and self._now() < former.expires_at:
                return former  # still valid: the next request tries again
            self._token = AccessToken.read(answer, self._now())
            return self._token
        finally:
            self._renewing = False

    def _with_any(
        self, used: Used, others: Callable[[Used], Iterable[Used]], use: Callable[[Used], None]
    ) -> Generator[httpx.Request, httpx.Response, httpx.Response]:
        """Send the secret or key in use. If it is refused, or its token cannot sign, try the others, and go
        on with one that is accepted. Raises SignerError if none signs."""
        refused: httpx.Response | SignerError
        try:
            request = self._token_request(used)
        except SignerError as error:
            refused = error
        else:
            refused = yield request
            if refused.status_code != 401:
                return refused
        for other in others(used):
            try:
                request = self._token_request(other)
            except SignerError:
                continue
            answer = yield request
            if answer.status_code == 200:
                with suppress(SecretStateError, KeyStateError):  # it is found again after a restart
                    use(other)
                return answer
        if isinstance(refused, SignerError):
            raise refused
        return refused
