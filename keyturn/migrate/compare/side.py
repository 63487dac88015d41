"""One side of a comparison: a realm's token endpoint, introspection and published keys, over HTTP."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import quote, urlsplit

import httpx

from keyturn.migrate.compare.credentials import Credential
from keyturn.migrate.compare.differences import Granted, Refused
from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose import base64url, strict_json
from keyturn_shared.jose.compact import parse_compact
from keyturn_shared.jose.errors import JoseError, UnknownKidError
from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.jose.verify import verify_with_key_set
from keyturn_shared.network.tls import client_context

MAX_BYTES: Final = 256 * 1024
"""Longest answer that is read."""
_MAX_TOKEN: Final = 64 * 1024


class SideError(KeyturnError):
    """A side gave no usable answer. The detail names the side and the fault, and no credential."""

    code = "side"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses of a realm. All but ``mtls_token``, for clients with certificates, are below the URL that the
    operator gave: until the switch, keyturn's public URL may lead to the Keycloak."""

    issuer: str
    token: str
    introspection: str
    mtls_token: str


class Side:
    """A realm at one side. Calls have a time limit each and raise SideError. ``name``: for messages."""

    def __init__(
        self,
        name: str,
        url: str,
        realm: str,
        *,
        seconds: float,
        ca_file: Path | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.name = name
        self.url = f"{url.rstrip('/')}/realms/{quote(realm, safe='')}"
        self.endpoints = Endpoints("", "", "", "")
        self.keys = KeySet(())
        self._seconds = seconds
        self._ca_file = ca_file
        self._transport = transport
        self._http = self._client(client_context(ca_file))

    async def __aenter__(self) -> Self:
        """Read the realm's metadata and keys."""
        found = await self._json(f"{self.url}/.well-known/openid-configuration")
        issuer = found.get("issuer")
        if not isinstance(issuer, str):
            raise SideError(f"{self.name}: the realm's metadata has no issuer")
        own = f"{self.url}/protocol/openid-connect"
        self.endpoints = Endpoints(
            issuer,
            f"{own}/token",
            f"{own}/token/introspect",
            _alias(found.get("mtls_endpoint_aliases")) or f"{own}/token",
        )
        await self._read_keys()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def ask(self, credential: Credential, introspector: Credential | None) -> Granted | Refused:
        """Get a token with this credential, and the introspection of it as ``introspector``, by default the
        client itself."""
        status, body = await self._post(
            credential, self.endpoints.token, {"grant_type": "client_credentials"}, self.endpoints.mtls_token
        )
        if status != 200:
            # Not cut here: what is left of a secret that was cut could not be found and hidden.
            return Refused(status, _text(body.get("error")), _text(body.get("error_description")))
        token = body.get("access_token")
        if not isinstance(token, str) or len(token) > _MAX_TOKEN:
            raise SideError(f"{self.name}: the answer has no access token")
        header, claims = self._read(token)
        asked = await self._introspect(token, introspector or credential)
        return Granted(body, header, claims, asked, await self._fault(token))

    async def _read_keys(self) -> None:
        keys = await self._json(f"{self.url}/protocol/openid-connect/certs")
        try:
            self.keys = KeySet.from_members(keys)
        except JoseError as error:
            raise SideError(f"{self.name}: its keys cannot be read: {error.detail}") from None

    async def _introspect(self, token: str, credential: Credential) -> Mapping[str, Any] | None:
        if credential.certificate is not None:
            return None
        endpoint = self.endpoints.introspection
        status, body = await self._post(credential, endpoint, {"token": token})
        if status != 200:
            return {"status": status, "error": body.get("error")}
        return body

    async def _post(
        self, credential: Credential, url: str, form: Mapping[str, str], mtls_url: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        sent, auth = credential.authorize(self.endpoints.issuer, form)
        if credential.certificate is None:
            return await self._call(self._http, "POST", url, sent, auth)
        context = client_context(self._ca_file)
        try:
            # With a password, OpenSSL does not ask for one at the terminal.
            context.load_cert_chain(*credential.certificate, password="")
        except (OSError, ssl.SSLError) as error:
            raise SideError(f"{credential.certificate[0].name} cannot be used: {error.strerror}") from None
        async with self._client(context) as http:
            return await self._call(http, "POST", mtls_url or url, sent, auth)

    async def _json(self, url: str) -> dict[str, Any]:
        status, body = await self._call(self._http, "GET", url)
        if status != 200:
            raise SideError(f"{self.name}: {url} answered with status {status}")
        return body

    async def _call(
        self,
        http: httpx.AsyncClient,
        method: str,
        url: str,
        form: Mapping[str, str] | None = None,
        auth: httpx.Auth | None = None,
    ) -> tuple[int, dict[str, Any]]:
        try:
            async with asyncio.timeout(self._seconds):
                async with http.stream(method, url, data=form, auth=auth) as answer:
                    text = bytearray()
                    async for part in answer.aiter_bytes():
                        text += part
                        if len(text) > MAX_BYTES:
                            raise SideError(f"{self.name}: the answer is longer than {MAX_BYTES} bytes")
        except TimeoutError:
            raise SideError(f"{self.name}: no answer within {self._seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SideError(f"{self.name}: no answer: {type(error).__name__}") from None
        if answer.status_code >= 500 or answer.status_code == 429:
            raise SideError(f"{self.name}: status {answer.status_code}")
        try:
            return answer.status_code, strict_json.decode_object(bytes(text), may_repeat=True)
        except JoseError:
            raise SideError(f"{self.name}: status {answer.status_code} without JSON") from None

    def _client(self, context: ssl.SSLContext) -> httpx.AsyncClient:
        # Not the environment's proxies: credentials go to the two sides alone.
        return httpx.AsyncClient(
            verify=context, timeout=self._seconds, transport=self._transport, trust_env=False
        )

    def _read(self, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Read a token's header and claims without deciding whether they are true."""
        try:
            header, claims, _ = token.encode("ascii").split(b".")
            return (
                strict_json.decode_object(base64url.decode(header)),
                strict_json.decode_object(base64url.decode(claims)),
            )
        except (JoseError, ValueError):
            raise SideError(f"{self.name}: the access token is not a JWT") from None

    async def _fault(self, token: str) -> str | None:
        """Return the fault of a token's signature. Keycloak makes a key for an algorithm when a client first
        asks for it, so the keys are read again for a new one."""
        for is_last in (False, True):
            try:
                verify_with_key_set(parse_compact(token, max_bytes=_MAX_TOKEN), self.keys)
            except UnknownKidError as error:
                if is_last:
                    return error.code
                await self._read_keys()
            except JoseError as error:
                return error.code
            else:
                break
        return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _alias(aliases: object) -> str | None:
    """Return the token endpoint for clients with certificates (RFC 8705 section 5), None if there is none."""
    alias = aliases.get("token_endpoint") if isinstance(aliases, Mapping) else None
    if not isinstance(alias, str) or not alias.startswith("https://"):
        return None
    try:
        return alias if urlsplit(alias).port != 0 else None
    except ValueError:
        return None
