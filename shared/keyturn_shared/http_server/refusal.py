"""A request that is refused as HTTP, and its answer."""

import http
from collections.abc import Iterable
from typing import Final

_RETRY: Final = b"retry-after: 1\r\n"
_CONTENT_TOO_LARGE: Final = "Content Too Large"
"""RFC 9110 section 15.5.14; Python before 3.13 has the former name."""


class HttpRefusalError(Exception):
    """The input is not a request that is served here, and what follows it cannot be parsed. The connection
    answers it and no application sees it, so it has a status and no code."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def refusal_response(status: int, fields: Iterable[tuple[bytes, bytes]] = ()) -> bytes:
    """Build the whole response with these fields. It contains nothing of the request."""
    phrase = _CONTENT_TOO_LARGE if status == 413 else http.HTTPStatus(status).phrase
    body = b'{"error":"%b"}' % phrase.encode()
    head = b"HTTP/1.1 %d %b\r\ncontent-type: application/json\r\n" % (status, phrase.encode())
    retry = _RETRY if status == 503 else b""
    more = b"".join(b"%b: %b\r\n" % field for field in fields)
    return b"%b%b%bcontent-length: %d\r\nconnection: close\r\n\r\n%b" % (head, more, retry, len(body), body)
