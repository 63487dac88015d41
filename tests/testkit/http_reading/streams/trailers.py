"""Trailers: never among the header fields (RFC 9110 6.5.1, RFC 9112 7.1.2)."""

from typing import Final

from tests.testkit.http_reading.stream import Stream, chunked, closes, post, reads

_RULE: Final = "RFC 9110 6.5.1: trailer fields are not merged into the header section"
_SYNTAX: Final = "RFC 9112 7.1.2: trailer-section = *( field-line CRLF )"

NAMES: Final = (
    *(b"Authorization", b"Proxy-Authorization", b"Cookie", b"DPoP", b"Content-Type", b"Content-Encoding"),
    *(b"Client-Cert", b"Client-Cert-Chain", b"X-Forwarded-Client-Cert", b"X-Forwarded-Tls-Client-Cert"),
    *(b"X-Forwarded-For", b"X-Forwarded-Proto", b"X-Forwarded-Host", b"X-Forwarded-Method", b"Forwarded"),
    *(b"X-Forwarded-Uri", b"X-Original-Uri", b"X-Original-Method", b"X-Real-Ip", b"X-Keyturn-Client"),
    *(b"Origin", b"Prefer", b"Accept", b"If-None-Match", b"Expect", b"Upgrade", b"Trailer", b"X-Request-Id"),
)
"""All headers that keyturn or its proxies read."""
_FRAMING: Final = {
    b"Content-Length": b"5",
    b"Transfer-Encoding": b"chunked",
    b"Host": b"other",
    b"Connection": b"close",
}
_BROKEN: Final = {
    "without a colon": b"evil\r\n",
    "space before the colon": b"X : y\r\n",
    "no name": b": y\r\n",
    "folded": b"X: y\r\n z\r\n",
    "folded at once": b" X: y\r\n",
    "NUL in the name": b"X\x00: y\r\n",
    "a request": b"GET /health/live?smuggled HTTP/1.1\r\nHost: x\r\n",
}


def _trailed(trailers: bytes) -> bytes:
    return chunked(b"3\r\nabc\r\n0\r\n" + trailers + b"\r\n")


def _dropped(name: bytes, value: bytes = b"evil") -> Stream:
    return reads(
        f"a trailer {name.decode()}",
        _RULE,
        _trailed(name + b": " + value + b"\r\n"),
        post(b"abc"),
        absent=frozenset({name.lower()} - {b"host", b"connection", b"transfer-encoding", b"content-length"}),
    )


STREAMS: Final[list[Stream]] = [
    *(_dropped(name) for name in NAMES),
    *(_dropped(name, value) for name, value in _FRAMING.items()),
    reads(
        "a trailer that was announced",
        _RULE,
        chunked(b"3\r\nabc\r\n0\r\nX-Checksum: 1\r\n\r\n", b"Trailer: X-Checksum"),
        post(b"abc"),
        absent=frozenset({b"x-checksum"}),
    ),
    reads(
        "trailers by the dozen",
        _RULE,
        _trailed(b"".join(b"X-%d: y\r\n" % number for number in range(12))),
        post(b"abc"),
        absent=frozenset({b"x-0", b"x-11"}),
    ),
    reads(
        "a trailer after no chunks",
        _RULE,
        chunked(b"0\r\nAuthorization: evil\r\n\r\n"),
        post(),
        absent=frozenset({b"authorization"}),
    ),
    *(
        closes(f"a broken trailer: {name}", _SYNTAX, _trailed(octets), post(b"abc"))
        for name, octets in _BROKEN.items()
    ),
    closes(
        "a trailer that ends with a line feed",
        "RFC 9112 2.2",
        chunked(b"3\r\nabc\r\n0\r\nX: y\n\r\n"),
        post(b"abc"),
    ),
    closes("trailers without an end in 64 KiB", "CWE-770", _trailed(b"X: y\r\n" * 12000), post(b"abc")),
]
