"""One request sent on and its answer sent back: what passes, what is dropped and added (RFC 9110 7.6)."""

from collections.abc import AsyncIterator
from typing import Final

import httpx
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

CONNECT_SECONDS: Final = 2.0
ANSWER_SECONDS: Final = 75.0
"""Longer than any ``Prefer: wait``, which is at most 60 s."""

# RFC 9110 section 7.6.1, with what older programs send.
_HOP_BY_HOP: Final = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer trailers "
    b"transfer-encoding upgrade".split()
)
# What a gateway says about its caller. A caller that says so itself is not believed.
_GATEWAY_ONLY: Final = frozenset(
    b"forwarded x-real-ip x-client-cert client-cert client-cert-chain ssl-client-cert".split()
)
_GATEWAY_ONLY_PREFIXES: Final = (b"x-forwarded-", b"x-ssl-client-", b"ssl-client-")

Headers = list[tuple[bytes, bytes]]


def forward(request: Request, upstream: str, body: bytes) -> httpx.Request:
    """The request as the upstream gets it."""
    scope = request.scope
    target: bytes = scope.get("raw_path") or request.url.path.encode()
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    streams_events = "text/event-stream" in request.headers.get("accept", "")
    return httpx.Request(
        request.method,
        httpx.URL(upstream).copy_with(raw_path=target),
        headers=_request_headers(request, body),
        stream=httpx.ByteStream(body),
        extensions={
            "timeout": {
                "connect": CONNECT_SECONDS,
                "pool": CONNECT_SECONDS,
                "write": ANSWER_SECONDS,
                "read": None if streams_events else ANSWER_SECONDS,
            }
        },
    )


def _request_headers(request: Request, body: bytes) -> Headers:
    given: Headers = request.scope["headers"]
    dropped = _named_by_connection(given) | _HOP_BY_HOP | {b"content-length", b"expect"}
    headers = [(name, value) for name, value in given if name not in dropped and not _is_a_gateways(name)]
    if body or request.method not in ("GET", "HEAD", "OPTIONS", "DELETE"):
        headers.append((b"content-length", str(len(body)).encode()))
    if request.client is not None:
        headers.append((b"x-forwarded-for", request.client.host.encode()))
    headers.append((b"x-forwarded-proto", request.scope["scheme"].encode()))
    if "host" in request.headers:
        headers.append((b"x-forwarded-host", request.headers["host"].encode("latin-1")))
    return headers


def _is_a_gateways(name: bytes) -> bool:
    folded = name.replace(b"_", b"-")  # some servers take the one for the other: a way to forge a name
    return folded in _GATEWAY_ONLY or folded.startswith(_GATEWAY_ONLY_PREFIXES)


def relay(answer: httpx.Response) -> Response:
    """The answer as the caller gets it, passed on as it comes."""
    given = [(name.lower(), value) for name, value in answer.headers.raw]
    dropped = _named_by_connection(given) | _HOP_BY_HOP | {b"date", b"server"}
    response = StreamingResponse(_chunks(answer), status_code=answer.status_code)
    response.raw_headers = [(name, value) for name, value in given if name not in dropped]
    return response


async def _chunks(answer: httpx.Response) -> AsyncIterator[bytes]:
    # Raw: whatever encoding the service chose is for the caller to undo.
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    finally:
        await answer.aclose()


def _named_by_connection(headers: Headers) -> frozenset[bytes]:
    """Headers that ``Connection`` declares to be for one hop."""
    values = [value for name, value in headers if name == b"connection"]
    return frozenset(part.strip().lower() for value in values for part in value.split(b","))
