"""The other server's introspection endpoint."""

import asyncio
import ssl
from typing import Any, Final
from urllib.parse import quote, urlencode

import httpx

from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose import strict_json
from keyturn_shared.jose.errors import MalformedError
from keyturn_shared.secret import Secret

ANSWER_SECONDS: Final = 2.0
MAX_BYTES: Final = 64 * 1024


class ShadowError(KeyturnError):
    """The other server gave no answer to compare with. ``reason``: a word for the metrics."""

    code = "shadow"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the other server's introspection: {reason}")
        self.reason = reason


class OtherServer:
    """Keycloak's introspection endpoint of each realm below ``url``, asked as one client, which exists in
    every realm."""

    def __init__(
        self,
        url: str,
        client_id: str,
        secret: Secret,
        *,
        connections: int,
        tls: ssl.SSLContext | None = None,
        answer_seconds: float | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._client = (client_id, secret)
        self._seconds = ANSWER_SECONDS if answer_seconds is None else answer_seconds
        # The bare transport: a client would follow cookies, proxies and redirects.
        self._transport = httpx.AsyncHTTPTransport(
            verify=tls or ssl.create_default_context(),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        )

    async def introspect(self, realm: str, token: str) -> dict[str, Any]:
        """Return the other server's answer. Raises ShadowError."""
        client_id, secret = self._client
        form = {"token": token, "client_id": client_id, "client_secret": secret.reveal()}
        request = httpx.Request(
            "POST",
            f"{self._url}/realms/{quote(realm, safe='')}/protocol/openid-connect/token/introspect",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            content=urlencode(form).encode(),
            extensions={"timeout": httpx.Timeout(self._seconds).as_dict()},
        )
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._transport.handle_async_request(request)
                try:
                    body = await _read(answer)
                finally:
                    await answer.aclose()
        except (TimeoutError, httpx.TimeoutException):
            raise ShadowError("timeout") from None
        except httpx.HTTPError:
            raise ShadowError("connection") from None
        if answer.status_code != 200:
            raise ShadowError("status")
        try:
            return strict_json.decode_object(body, may_repeat=True)
        except MalformedError:
            raise ShadowError("unreadable") from None

    async def close(self) -> None:
        await self._transport.aclose()


async def _read(answer: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > MAX_BYTES:
            raise ShadowError("too_long")
    return bytes(body)
