"""Forwards administrators' requests to the credentials service, which alone can answer them.

Their content is not stored. Only administrators' requests are forwarded.
"""

import asyncio
import base64
import ssl
from typing import Final
from urllib.parse import quote

import httpx
import structlog
from cryptography.hazmat.primitives.serialization import Encoding

from keyturn_shared.errors import KeyturnError
from keyturn_shared.oauth.errors import AdministratorElsewhereError
from keyturn_shared.oauth.web.caller_address import CallerAddress
from keyturn_shared.oauth.web.certificate_source import CertificateSource
from keyturn_shared.oauth.web.errors import client_error
from keyturn_shared.oauth.web.messages import Headers, Reply, Request

ANSWER_SECONDS: Final = 10.0
CONNECT_SECONDS: Final = 2.0
MAX_CONCURRENT: Final = 64
MAX_BYTES: Final = 256 * 1024

MAX_WAIT_SECONDS: Final = 60.0
"""Longest wait that ``Prefer: wait`` can request."""

_SENT: Final = frozenset({b"accept", b"authorization", b"content-type", b"dpop", b"prefer"})
_RELAYED: Final = frozenset(
    {b"cache-control", b"content-type", b"dpop-nonce", b"pragma", b"retry-after", b"www-authenticate"}
    | {b"keyturn-sequence", b"keyturn-fleet", b"preference-applied"}
)
_VIA: Final = b"1.1 keyturn-node"
"""Entry of the Via header (RFC 9110 section 7.6.3) by which a node recognises a request forwarded by a node,
in case the setting points back at the nodes."""

_log = structlog.get_logger(__name__)


class CredentialsServiceClient:
    """Client of the credentials service. ``base_url``: without a trailing slash; None: not configured."""

    def __init__(
        self,
        base_url: str | None,
        certificates: CertificateSource,
        addresses: CallerAddress,
        *,
        tls: ssl.SSLContext | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._base_url = base_url
        self._certificates = certificates
        self._addresses = addresses
        # The bare transport: a client would follow cookies, proxies and redirects.
        self._transport = transport or httpx.AsyncHTTPTransport(
            verify=tls or ssl.create_default_context(),
            limits=httpx.Limits(max_connections=MAX_CONCURRENT, max_keepalive_connections=MAX_CONCURRENT),
        )

    async def close(self) -> None:
        await self._transport.aclose()

    async def __call__(self, request: Request) -> Reply:
        """Return its answer, or an error for this request if there is none."""
        try:
            return await self._ask(request)
        except KeyturnError as error:
            if isinstance(error, AdministratorElsewhereError):
                _log.warning("administrator_not_answered", realm=request.realm[:100], detail=error.detail)
            return client_error(error, realm=request.realm, basic=b"basic" in request.schemes)

    async def hand_over(self, request: Request, path: str, content: bytes) -> Reply:
        """Send a request that this node makes for a client it has authenticated, and return the answer.
        Raises AdministratorElsewhereError."""
        prefer = [(name, value) for name, value in request.headers if name == b"prefer"]
        return await self._send(request, "POST", path, [*prefer, (b"via", _VIA)], content)

    async def _ask(self, request: Request) -> Reply:
        """Forward the request. Raises AdministratorElsewhereError, MalformedCertificateError,
        InvalidRequestError."""
        return await self._send(request, request.method, request.path, self._headers(request), request.body)

    async def _send(
        self, request: Request, method: str, path: str, headers: Headers, content: bytes
    ) -> Reply:
        if self._base_url is None:
            raise AdministratorElsewhereError("KEYTURN_CREDENTIALS_URL is not set")
        if any(_VIA in value for name, value in request.headers if name == b"via"):
            raise AdministratorElsewhereError("KEYTURN_CREDENTIALS_URL points back to a node")
        waits = any(name == b"prefer" for name, _ in headers)
        seconds = ANSWER_SECONDS + (MAX_WAIT_SECONDS if waits else 0.0)
        sent = httpx.Request(
            method,
            f"{self._base_url}{quote(path)}",
            headers=headers,
            content=content,
            extensions={"timeout": {**_TIMEOUT, "read": seconds}},
        )
        try:
            async with asyncio.timeout(seconds):
                answer = await self._transport.handle_async_request(sent)
                try:
                    body = await _read(answer)
                finally:
                    await answer.aclose()
        except (TimeoutError, httpx.HTTPError) as error:
            raise AdministratorElsewhereError(
                f"the credentials service did not respond: {type(error).__name__}"
            ) from error
        if answer.status_code >= 500:
            # A gateway would take this status as a sign that this node is broken.
            raise AdministratorElsewhereError(
                f"the credentials service responded with status {answer.status_code}"
            )
        relayed = [(name.lower(), value) for name, value in answer.headers.raw if name.lower() in _RELAYED]
        return Reply(answer.status_code, body, relayed)

    def _headers(self, request: Request) -> Headers:
        headers = [(name, value) for name, value in request.headers if name in _SENT]
        headers.append((b"via", _VIA))
        address = self._addresses.of(request).address
        if address is not None:
            headers.append((b"x-forwarded-for", address.encode()))
        certificate = self._certificates.of(request)
        if certificate is not None:  # RFC 9440
            chain = [each.public_bytes(Encoding.DER) for each in certificate.intermediates]
            own = certificate.certificate.public_bytes(Encoding.DER)
            headers.append((b"client-cert", _byte_sequence(own)))
            if chain:
                headers.append((b"client-cert-chain", b", ".join(map(_byte_sequence, chain))))
        return headers


_TIMEOUT: Final = {
    "connect": CONNECT_SECONDS,
    "pool": CONNECT_SECONDS,
    "write": ANSWER_SECONDS,
}


async def _read(answer: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > MAX_BYTES:
            raise AdministratorElsewhereError("the response of the credentials service is too long")
    return bytes(body)


def _byte_sequence(octets: bytes) -> bytes:
    return b":" + base64.b64encode(octets) + b":"
