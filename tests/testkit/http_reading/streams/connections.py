"""Persistence (RFC 9112 9.3): HTTP/1.1 unless told to close, HTTP/1.0 only when asked."""

from typing import Final

from tests.testkit.http_reading.stream import (
    SMUGGLED,
    Stream,
    closes,
    get,
    ordinary,
    post,
    reads,
    request,
    sized,
)

_RULE: Final = "RFC 9112 9.3"
_CLOSE: Final = "RFC 9112 9.6: close ends the connection after the answer"
_OLD: Final = b"HTTP/1.0"
_SIZE: Final = b"Content-Length: %d" % len(SMUGGLED)
_CLOSES: Final = {
    "close": b"close",
    "capitals": b"CLOSE",
    "mixed case": b"Close",
    "in a list": b"x, close",
    "first in a list": b"close, x",
    "without spaces": b"x,close,y",
    "keep-alive and close": b"keep-alive, close",
    "close and keep-alive": b"close, keep-alive",
    "empty elements": b", ,close",
}
_LIKE_CLOSE: Final = {"close-ish": b"closed", "not close": b"not-close"}
_NOT_CLOSES: Final = {
    "keep-alive": b"keep-alive",
    "Keep-Alive": b"Keep-Alive",
}

STREAMS: Final[list[Stream]] = [
    *(
        closes(f"Connection: {name}", _CLOSE, sized(SMUGGLED, b"Connection: " + value), post(SMUGGLED))
        for name, value in _CLOSES.items()
    ),
    *(
        ordinary(f"no close: {name}", _RULE, sized(SMUGGLED, b"Connection: " + value), post(SMUGGLED))
        for name, value in _NOT_CLOSES.items()
    ),
    *(
        reads(f"no close: {name}", _RULE, sized(SMUGGLED, b"Connection: " + value), post(SMUGGLED))
        for name, value in _LIKE_CLOSE.items()
    ),
    closes(
        "close in the second of two fields",
        _CLOSE,
        sized(SMUGGLED, b"Connection: x", b"Connection: close"),
        post(SMUGGLED),
    ),
    closes(
        "close in the first of two fields",
        _CLOSE,
        sized(SMUGGLED, b"Connection: close", b"Connection: keep-alive"),
        post(SMUGGLED),
    ),
    ordinary(
        "Keep-Alive with numbers",
        "RFC 2068 19.7.1.1",
        sized(SMUGGLED, b"Connection: keep-alive", b"Keep-Alive: timeout=5, max=1"),
        post(SMUGGLED),
    ),
    ordinary(
        "Proxy-Connection",
        "RFC 9112 C.2.2: ignored",
        sized(SMUGGLED, b"Proxy-Connection: close"),
        post(SMUGGLED),
    ),
    closes("HTTP/1.0", _RULE, request(method=b"GET", version=_OLD), get(), is_ordinary=True),
    closes(
        "HTTP/1.0 with a body",
        _RULE,
        request(_SIZE, version=_OLD, body=SMUGGLED),
        post(SMUGGLED),
        is_ordinary=True,
    ),
    closes("HTTP/1.0 without a length", "RFC 9112 6.3", request(version=_OLD, body=SMUGGLED), post()),
    reads(
        "HTTP/1.0 kept alive",
        "RFC 9112 C.2.2",
        request(b"Connection: keep-alive", method=b"GET", version=_OLD),
        get(),
    ),
    reads(
        "HTTP/1.0 kept alive with a body",
        "RFC 9112 C.2.2",
        request(_SIZE, b"Connection: keep-alive", version=_OLD, body=SMUGGLED),
        post(SMUGGLED),
    ),
    closes(
        "HTTP/1.0 with keep-alive and close",
        _CLOSE,
        request(b"Connection: keep-alive, close", method=b"GET", version=_OLD),
        get(),
    ),
    closes(
        "HTTP/1.1, then HTTP/1.0",
        _RULE,
        request(method=b"GET") + request(method=b"GET", version=_OLD),
        get(),
        get(),
        is_ordinary=True,
    ),
]
