"""Reads a response, with limits on everything."""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import httpcore

from keyturn_shared.network.refusal import FetchRefused, Reason

_JSON_TYPES: Final = frozenset(
    {"application/json", "application/jwk-set+json", "text/plain", "text/json"}
    | {"application/octet-stream", "binary/octet-stream"}
)
"""Accepted content types of key sets. File stores serve everything as octets, and the body tells the
content."""
_WBITS_GZIP: Final = 31
_OK: Final = 200
_NOT_MODIFIED: Final = 304
_MAX_HEADER_BYTES: Final = 64 * 1024
_FIELD_VALUE: Final = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")


@dataclass(frozen=True, slots=True)
class FetchResult:
    """A response with status 200, or 304 with an empty body; to a form also with 400 or 401. Header names are
    in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


async def read_answer(
    response: httpcore.Response, limit: int, further: frozenset[int] = frozenset()
) -> FetchResult:
    """Read a response to its end. ``limit``: bytes of the body, as sent and as unpacked. ``further``:
    statuses that are accepted like 200. Raises FetchRefused."""
    status, headers = response.status, _read_headers(response)
    if 300 <= status < 400 and status != _NOT_MODIFIED:
        raise FetchRefused(Reason.REDIRECT, f"status {status}; redirects are not followed")
    if status not in (_OK, _NOT_MODIFIED, *further):
        raise FetchRefused(Reason.STATUS, f"status {status}")
    if status == _NOT_MODIFIED:
        return FetchResult(status, headers, await _read_body(response, {}, 0))
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type and media_type not in _JSON_TYPES and not media_type.endswith("+json"):
        raise FetchRefused(Reason.CONTENT_TYPE, f"{media_type[:80]} is not JSON")
    return FetchResult(status, headers, await _read_body(response, headers, limit))


def _read_headers(response: httpcore.Response) -> dict[str, str]:
    """Return the headers with names in lower case. httpcore has h11 check them, but not h2 (RFC 9113 section
    8.2.1)."""
    if sum(len(name) + len(value) for name, value in response.headers) > _MAX_HEADER_BYTES:
        raise FetchRefused(Reason.PROTOCOL_ERROR, f"more than {_MAX_HEADER_BYTES} bytes of headers")
    if not all(_FIELD_VALUE.fullmatch(value) for _, value in response.headers):
        raise FetchRefused(Reason.PROTOCOL_ERROR, "a control character in a header")
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}


async def _read_body(response: httpcore.Response, headers: Mapping[str, str], limit: int) -> bytes:
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise FetchRefused(Reason.CONTENT_ENCODING, f"the encoding {encoding[:40]!r} was not requested")
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        raise FetchRefused(Reason.TOO_LARGE, f"more than {limit} bytes announced")
    unpacker = zlib.decompressobj(_WBITS_GZIP) if encoding != "identity" else None
    body = bytearray()
    received = 0
    async for chunk in response.aiter_stream():
        received += len(chunk)
        if unpacker is None:
            body += chunk
        else:
            try:
                # Never unpacks more than the limit: a small file can hold gigabytes.
                body += unpacker.decompress(chunk, limit + 1 - len(body))
            except zlib.error as error:
                raise FetchRefused(
                    Reason.CONTENT_ENCODING, f"the body cannot be decompressed: {error}"
                ) from None
        if len(body) > limit or received > limit:
            raise FetchRefused(Reason.TOO_LARGE, f"more than {limit} bytes")
    if unpacker is not None and not unpacker.eof:
        raise FetchRefused(Reason.CONTENT_ENCODING, "the compressed body ends too early")
    return bytes(body)
