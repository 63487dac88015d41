"""Upgrade, Connection and Expect: an offer that is not accepted changes no message (RFC 9110 7.8)."""

from typing import Final

from tests.testkit.http_reading.stream import (
    PATH,
    SMUGGLED,
    Message,
    Stream,
    closes,
    get,
    ordinary,
    post,
    reads,
    request,
    sized,
)

_RULE: Final = "RFC 9110 7.8: a server may ignore a received Upgrade"
_EXPECT: Final = "RFC 9110 10.1.1"
_H2C: Final = (
    b"Connection: Upgrade, HTTP2-Settings",
    b"Upgrade: h2c",
    b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
)
_WEBSOCKET: Final = (
    b"Connection: Upgrade",
    b"Upgrade: websocket",
    b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
_OFFERS: Final = {
    "h2c as Java offers it": _H2C,
    "h2c as curl offers it": tuple(reversed(_H2C)),
    "websocket": _WEBSOCKET,
    "Upgrade alone": (b"Upgrade: h2c",),
    "Connection alone": (b"Connection: Upgrade",),
    "lower case": (b"connection: upgrade", b"upgrade: H2C"),
    "two protocols": (b"Connection: upgrade", b"Upgrade: h2c, websocket"),
    "two Upgrade fields": (b"Connection: upgrade", b"Upgrade: h2c", b"Upgrade: websocket"),
    "two Connection fields": (b"Connection: keep-alive", b"Connection: upgrade", b"Upgrade: h2c"),
    "keep-alive, Upgrade": (b"Connection: keep-alive, Upgrade", b"Upgrade: h2c"),
    "TLS/1.0": (b"Connection: Upgrade", b"Upgrade: TLS/1.0"),
    "IRC/6.9": (b"Connection: Upgrade", b"Upgrade: HTTP/2.0, SHTTP/1.3, IRC/6.9, RTA/x11"),
    "HTTP/1.1": (b"Connection: Upgrade", b"Upgrade: HTTP/1.1"),
    "no protocol": (b"Connection: Upgrade", b"Upgrade:"),
}
_CODED: Final = b"%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)
_SIZE: Final = b"Content-Length: %d" % len(SMUGGLED)

STREAMS: Final[list[Stream]] = [
    *(
        ordinary(f"POST with a length: {name}", _RULE, sized(SMUGGLED, *offer), post(SMUGGLED))
        for name, offer in _OFFERS.items()
    ),
    *(
        ordinary(
            f"POST in chunks: {name}",
            _RULE,
            request(*offer, b"Transfer-Encoding: chunked", body=_CODED),
            post(SMUGGLED),
        )
        for name, offer in _OFFERS.items()
    ),
    *(
        ordinary(f"GET: {name}", _RULE, request(*offer, method=b"GET"), get())
        for name, offer in _OFFERS.items()
        if name in ("h2c as Java offers it", "websocket", "TLS/1.0", "Upgrade alone")
    ),
    ordinary("the length before the offer", _RULE, request(_SIZE, *_H2C, body=SMUGGLED), post(SMUGGLED)),
    ordinary(
        "the offer before Host",
        _RULE,
        request(*_H2C, b"Host: x", _SIZE, host=None, body=SMUGGLED),
        post(SMUGGLED),
    ),
    ordinary(
        "an offer twice on a connection", _RULE, sized(SMUGGLED, *_H2C) * 2, post(SMUGGLED), post(SMUGGLED)
    ),
    ordinary(
        "an offer on the second request",
        _RULE,
        sized(b"abc") + sized(SMUGGLED, *_H2C),
        post(b"abc"),
        post(SMUGGLED),
    ),
    reads(
        "an offer with HEAD",
        _RULE,
        sized(SMUGGLED, *_H2C, method=b"HEAD"),
        Message(b"HEAD", PATH, SMUGGLED),
    ),
    closes(
        "an offer and close",
        _RULE,
        sized(SMUGGLED, b"Connection: Upgrade, close", b"Upgrade: h2c"),
        post(SMUGGLED),
    ),
    closes(
        "an offer in HTTP/1.0",
        "RFC 9110 7.8: ignored in HTTP/1.0",
        request(_SIZE, *_H2C, version=b"HTTP/1.0", body=SMUGGLED),
        post(SMUGGLED),
    ),
    ordinary(
        "a length named as hop by hop",
        "RFC 9110 7.6.1",
        sized(SMUGGLED, b"Connection: content-length"),
        post(SMUGGLED),
    ),
    ordinary(
        "Host named as hop by hop", "RFC 9110 7.6.1", sized(SMUGGLED, b"Connection: host"), post(SMUGGLED)
    ),
    ordinary(
        "a strange Connection", "RFC 9110 7.6.1", sized(SMUGGLED, b"Connection: x, y, z"), post(SMUGGLED)
    ),
    ordinary("an empty Connection", "RFC 9110 7.6.1", sized(SMUGGLED, b"Connection:"), post(SMUGGLED)),
    closes(
        "CONNECT",
        "RFC 9110 9.3.6: no tunnel is made",
        request(method=b"CONNECT", target=b"x:443", body=SMUGGLED),
    ),
    closes(
        "CONNECT with a length",
        "RFC 9110 9.3.6",
        request(_SIZE, method=b"CONNECT", target=b"x:443", body=SMUGGLED),
    ),
    closes(
        "CONNECT of a path", "RFC 9112 3.2.3", request(_SIZE, method=b"CONNECT", target=PATH, body=SMUGGLED)
    ),
    ordinary("Expect: 100-continue", _EXPECT, sized(SMUGGLED, b"Expect: 100-continue"), post(SMUGGLED)),
    ordinary("Expect in other case", _EXPECT, sized(SMUGGLED, b"Expect: 100-Continue"), post(SMUGGLED)),
    ordinary(
        "Expect with chunks",
        _EXPECT,
        request(b"Expect: 100-continue", b"Transfer-Encoding: chunked", body=_CODED),
        post(SMUGGLED),
    ),
    ordinary("Expect without a body", _EXPECT, request(b"Expect: 100-continue"), post()),
    ordinary("Expect with GET", _EXPECT, request(b"Expect: 100-continue", method=b"GET"), get()),
    ordinary(
        "Expect twice on a connection",
        _EXPECT,
        sized(b"abc", b"Expect: 100-continue") * 2,
        post(b"abc"),
        post(b"abc"),
    ),
    reads(
        "Expect something else",
        "RFC 9110 10.1.1: 417, or ignored",
        sized(SMUGGLED, b"Expect: payment"),
        post(SMUGGLED),
    ),
    reads(
        "Expect twice in a head",
        _EXPECT,
        sized(SMUGGLED, b"Expect: 100-continue", b"Expect: 100-continue"),
        post(SMUGGLED),
    ),
    reads(
        "Expect with a length and an offer",
        _EXPECT,
        sized(SMUGGLED, b"Expect: 100-continue", *_H2C),
        post(SMUGGLED),
    ),
    closes(
        "Expect in HTTP/1.0",
        "RFC 9110 10.1.1: ignored",
        request(_SIZE, b"Expect: 100-continue", version=b"HTTP/1.0", body=SMUGGLED),
        post(SMUGGLED),
    ),
]
