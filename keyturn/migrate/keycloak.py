"""A running Keycloak's admin API: calls that are repeated until they succeed or cannot."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote

import httpx
import stamina

from keyturn_credentials.domain.export_documents import MAX_DEPTH
from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose import strict_json
from keyturn_shared.jose.errors import MalformedError
from keyturn_shared.secret import Secret

PAGE: Final = 500
MAX_BYTES: Final = 256 * 1024 * 1024
"""Longest answer that is read."""
_SECONDS: Final = 30.0
_CONNECT_SECONDS: Final = 10.0
_EXPORT_SECONDS: Final = 300.0
"""Time limit of the partial export: Keycloak sends its first byte when it has all of it."""
_TOKEN_SECONDS: Final = 60
"""Life of a token that does not say how long it lives: Keycloak's default for administrators."""
_ATTEMPTS: Final = 6
_FIRST_PAUSE: Final = timedelta(milliseconds=200)
_LONGEST_PAUSE: Final = timedelta(seconds=5)
_ITEMS: Final = "items"


class KeycloakError(KeyturnError):
    """The Keycloak did not give what was asked for. The detail says what, and what it lacks."""

    code = "keycloak"


class DeniedError(KeycloakError):
    """The administrator may not read this."""


class MissingError(KeycloakError):
    """There is no such thing at the Keycloak."""


class _TransientError(KeycloakError):
    """An answer that may be better the next time: a server error, or too many requests."""


@dataclass(frozen=True, slots=True)
class Administrator:
    """A client of a realm of Keycloak's whose service account may read the realms to move."""

    client_id: str
    secret: Secret
    realm: str = "master"


class Keycloak:
    """A Keycloak's admin API. ``url``: with its path, if it has one, such as ``/auth``."""

    def __init__(
        self,
        url: str,
        administrator: Administrator,
        *,
        tls: ssl.SSLContext | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        first_pause: timedelta = _FIRST_PAUSE,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._administrator = administrator
        self._first_pause = first_pause
        self._elapsed = elapsed
        self._token: str | None = None
        self._good_until = 0.0
        self._renewing = asyncio.Lock()
        # Not the environment's proxies: over http, they would read secrets that must not leave the machine.
        self._http = httpx.AsyncClient(
            base_url=url.rstrip("/") + "/",
            verify=tls or True,
            timeout=_SECONDS,
            transport=transport,
            trust_env=False,
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        """Return an object of the admin API. Raises KeycloakError, and DeniedError if the administrator may
        not read it."""
        return await self._json("GET", path, query)

    async def get_all(self, path: str, **query: str) -> list[dict[str, Any]]:
        """Return an array of objects. Raises KeycloakError."""
        found = (await self._json("GET", path, query, of_array=True))[_ITEMS]
        if not isinstance(found, list):
            raise KeycloakError(f"{path}: the answer is not the expected JSON: not an array")
        return [each for each in found if isinstance(each, dict)]

    async def pages(self, path: str) -> AsyncIterator[list[dict[str, Any]]]:
        """Yield the pages of an array whose objects have ids, each object once. A page can be shorter than
        asked for, so the last one is empty. Raises KeycloakError."""
        seen: set[str] = set()
        first = 0
        while True:
            page = await self.get_all(path, first=str(first), max=str(PAGE))
            if not all(isinstance(each.get("id"), str) for each in page):
                raise KeycloakError(f"{path}: the answer is not the expected JSON: an object without an id")
            new = [each for each in page if each["id"] not in seen]
            if not new:  # the end, or a server that repeats itself
                return
            seen.update(each["id"] for each in new)
            yield new
            first += PAGE

    async def partial_export(self, path: str) -> dict[str, Any]:
        """Return a realm's settings, roles and client scopes. Not its clients: Keycloak takes minutes for a
        thousand of them, and gives up after five."""
        what = {"exportClients": "false", "exportGroupsAndRoles": "true"}
        return await self._json("POST", f"{path}/partial-export", what, seconds=_EXPORT_SECONDS)

    async def _json(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        seconds: float = _SECONDS,
        of_array: bool = False,
    ) -> dict[str, Any]:
        """Call the admin API, with a new token if the former one has expired."""
        attempts = stamina.retry_context(
            on=_TransientError,
            attempts=_ATTEMPTS,
            timeout=None,
            wait_initial=self._first_pause,
            wait_max=_LONGEST_PAUSE,
            wait_jitter=self._first_pause,
        )
        async for attempt in attempts:
            with attempt:
                token = await self._current_token()
                status, body = await self._authorized(token, method, path, query, seconds)
                if status == 401:
                    if self._token == token:
                        self._token = None
                    raise _TransientError(f"{path}: the access token was refused")
                _require_success(path, status)
                return _read(path, body, of_array)
        raise AssertionError("the last attempt returns or raises")

    async def _authorized(
        self, token: str, method: str, path: str, query: Mapping[str, str] | None, seconds: float
    ) -> tuple[int, bytes]:
        request = self._http.build_request(
            method,
            path,
            params=query,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(seconds, connect=_CONNECT_SECONDS),
        )
        return await self._send(request)

    async def _current_token(self) -> str:
        """Return a token that is good for a while, renewed by one caller while others wait."""
        async with self._renewing:
            if self._token is None or self._elapsed() >= self._good_until:
                self._token = await self._new_token()
            return self._token

    async def _new_token(self) -> str:
        who = self._administrator
        path = f"realms/{quote(who.realm, safe='')}/protocol/openid-connect/token"
        form = {
            "grant_type": "client_credentials",
            "client_id": who.client_id,
            "client_secret": who.secret.reveal(),
        }
        status, body = await self._send(self._http.build_request("POST", path, data=form))
        if status in (400, 401):
            raise KeycloakError(
                f"{who.client_id} cannot get a token in realm {who.realm}: its secret is wrong, or"
                " its service account is disabled"
            )
        _require_success(path, status)
        answer = _read(path, body, of_array=False)
        token, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str):
            raise KeycloakError(f"{path}: no access token in the answer")
        lasts = seconds if isinstance(seconds, int) and seconds > 0 else _TOKEN_SECONDS
        self._good_until = self._elapsed() + lasts / 2
        return token

    async def _send(self, request: httpx.Request) -> tuple[int, bytes]:
        try:
            answer = await self._http.send(request, stream=True)
            try:
                body = bytearray()
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > MAX_BYTES:
                        raise KeycloakError(
                            f"{request.url.path}: the answer is longer than {MAX_BYTES} bytes"
                        )
            finally:
                await answer.aclose()
        except httpx.HTTPError as error:
            raise _TransientError(
                f"{request.url.path}: no answer from {request.url.host}: {type(error).__name__}"
            ) from error
        if answer.status_code >= 500 or answer.status_code == 429:
            raise _TransientError(f"{request.url.path}: status {answer.status_code}")
        return answer.status_code, bytes(body)


def _require_success(path: str, status: int) -> None:
    if status == 403:
        raise DeniedError(
            f"{path}: not allowed; the service account needs manage-realm, manage-clients and view-users of"
            " the client realm-management (in realm master, of the realm's own client)"
        )
    if status == 404:
        raise MissingError(f"{path}: not found; check the URL, with its path, and the realm's name")
    if status != 200:
        raise KeycloakError(f"{path}: status {status}")


def _read(path: str, body: bytes, of_array: bool) -> dict[str, Any]:
    try:
        text = b'{"%s":%s}' % (_ITEMS.encode(), body) if of_array else body
        return strict_json.decode_object(text, may_repeat=True, max_depth=MAX_DEPTH)
    except MalformedError as error:
        raise KeycloakError(f"{path}: the answer is not the expected JSON: {error.detail}") from None
