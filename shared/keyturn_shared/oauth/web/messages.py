"""A request and its reply, and the part of HTTP that the endpoints need."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from keyturn_shared.oauth.errors import InvalidRequestError

Headers = list[tuple[bytes, bytes]]

encode_json: Final = msgspec.json.Encoder().encode
JSON_TYPE: Final = (b"content-type", b"application/json")
NO_STORE: Final[Headers] = [(b"cache-control", b"no-store"), (b"pragma", b"no-cache")]  # RFC 6749 5.1


@dataclass(slots=True)
class Request:
    """A request with its body. ``path``: decoded. ``headers``: names in lower case. ``address``: the
    sender's. ``certificate``: DER of the sender's certificate, checked by TLS of this server."""

    method: str
    path: str
    realm: str
    query: bytes
    headers: Headers
    body: bytes
    address: str
    certificate: bytes | None = None

    def header(self, name: bytes) -> str | None:
        """Return a header that may occur once. Raises InvalidRequestError if it is repeated."""
        found: bytes | None = None
        for key, value in self.headers:
            if key == name:
                if found is not None:
                    raise InvalidRequestError(f"more than one {name.decode()} header")
                found = value
        return None if found is None else found.decode("latin-1")

    @property
    def authorization(self) -> str | None:
        return self.header(b"authorization")

    @property
    def schemes(self) -> frozenset[bytes]:
        """Schemes of all Authorization headers, in lower case."""
        return frozenset(
            value.partition(b" ")[0].lower() for key, value in self.headers if key == b"authorization"
        )


@dataclass(slots=True)
class Reply:
    """A response. Its content length is added on sending; no header value may contain a line break."""

    status: int
    body: bytes = b""
    headers: Headers = field(default_factory=list)


Elsewhere = Callable[[Request], Awaitable[Reply]]
"""Forwards a request to the service that can answer it."""


def json_reply(status: int, value: Any, headers: Headers | None = None) -> Reply:
    """Build a JSON response."""
    return json_body(status, encode_json(value), headers)


def json_body(status: int, body: bytes, headers: Headers | None = None) -> Reply:
    """Build a response from encoded JSON."""
    return Reply(status, body, [JSON_TYPE, *(headers or ())])
