"""A request inside another: a server that disagrees about the end of the outer one runs the inner one."""

from typing import Final

from tests.integration.http_edges.attacks import HIDDEN, HttpAttack
from tests.testkit.http_reading.stream import chunked, request, sized

_SIZE: Final = b"Content-Length: %d" % len(HIDDEN)
_ENDS_AT_ONCE: Final = b"0\r\n\r\n" + HIDDEN
_CHUNKED: Final = b"Transfer-Encoding: chunked"
_TWO: Final = "RFC 9112 11.2"
_HIDDEN_CODINGS: Final = {
    "a vertical tab before it (CVE-2019-18277)": b"Transfer-Encoding:\x0bchunked",
    "a space before the colon (CVE-2021-22959)": b"Transfer-Encoding : chunked",
    "a tab before the colon": b"Transfer-Encoding\t: chunked",
    "a line feed before it (CVE-2022-35256)": b"X: y\nTransfer-Encoding: chunked",
    "a carriage return before it (CVE-2023-30589)": b"X: y\rTransfer-Encoding: chunked",
    "a folded line": b"Transfer-Encoding:\r\n chunked",
    "a NUL after the name": b"Transfer-Encoding\x00: chunked",
    "another coding first": b"Transfer-Encoding: x, chunked",
    "another coding last (CVE-2024-1135)": b"Transfer-Encoding: chunked, x",
    "the coding twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "quotes": b'Transfer-Encoding: "chunked"',
    "a prefix": b"Transfer-Encoding: xchunked",
    "a leading space": b" Transfer-Encoding: chunked",
}
_OFFERS: Final = (b"h2c", b"websocket", b"TLS/1.0", b"HTTP/2.0, h2c", b"")
_CHUNKS: Final = {
    "a bare line feed in an extension": b"3;\nxx\r\nabc\r\n" + _ENDS_AT_ONCE,
    "a line end in a quoted extension": b'3;a="\r\n\r\n"\r\nabc\r\n' + _ENDS_AT_ONCE,
    "any two octets for a line end (CVE-2025-43859)": b"3\r\nabcXX" + _ENDS_AT_ONCE,
    "a size with 0x": b"0x3\r\nabc\r\n" + _ENDS_AT_ONCE,
    "a size with a sign": b"+3\r\nabc\r\n" + _ENDS_AT_ONCE,
    "a size that overflows": b"10000000000000000\r\n" + HIDDEN + b"\r\n0\r\n\r\n",
    "an empty size": b"\r\n" + HIDDEN,
    "a size that is negative": b"-1\r\n" + HIDDEN,
}
_LENGTHS: Final = {
    "plus": b"+0",
    "minus": b"-1",
    "hexadecimal": b"0x0",
    "a list": b"0, %d" % len(HIDDEN),
    "a space": b"0 %d" % len(HIDDEN),
    "overflow": b"18446744073709551616",
    "nothing": b"",
    "a NUL": b"0\x00%d" % len(HIDDEN),
}

ATTACKS: Final = [
    HttpAttack("a length and chunks", _TWO, request(_SIZE, _CHUNKED, body=_ENDS_AT_ONCE)),
    HttpAttack("chunks and a length", _TWO, request(_CHUNKED, _SIZE, body=_ENDS_AT_ONCE)),
    HttpAttack("two lengths", "RFC 9112 6.3", request(b"Content-Length: 0", _SIZE, body=HIDDEN)),
    HttpAttack("two lengths turned round", "RFC 9112 6.3", request(_SIZE, b"Content-Length: 0", body=HIDDEN)),
    HttpAttack(
        "chunks in HTTP/1.0", "RFC 9112 6.1", request(_CHUNKED, version=b"HTTP/1.0", body=_ENDS_AT_ONCE)
    ),
    *(
        HttpAttack(f"a hidden coding: {name}", _TWO, request(_SIZE, field, body=_ENDS_AT_ONCE))
        for name, field in _HIDDEN_CODINGS.items()
    ),
    *(
        HttpAttack(
            f"a body behind an offer of {offer.decode() or 'nothing'}",
            "RFC 9110 7.8",
            sized(HIDDEN, b"Connection: Upgrade", b"Upgrade: " + offer),
        )
        for offer in _OFFERS
    ),
    HttpAttack(
        "chunks behind an offer",
        "RFC 9110 7.8",
        request(
            *(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAA", _CHUNKED),
            body=b"%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN),
        ),
    ),
    *(HttpAttack(f"chunks: {name}", "RFC 9112 7.1", chunked(coded)) for name, coded in _CHUNKS.items()),
    *(
        HttpAttack(f"a length: {name}", "RFC 9112 6.3", request(b"Content-Length: " + value, body=HIDDEN))
        for name, value in _LENGTHS.items()
    ),
    HttpAttack("a body with Expect", "RFC 9110 10.1.1", sized(HIDDEN, b"Expect: 100-continue")),
    HttpAttack("a body with GET", "RFC 9110 9.3.1", sized(HIDDEN, method=b"GET")),
    HttpAttack("a body with HEAD", "RFC 9110 9.3.2", sized(HIDDEN, method=b"HEAD")),
    HttpAttack("a body with OPTIONS", "RFC 9110 9.3.7", sized(HIDDEN, method=b"OPTIONS")),
    HttpAttack("a tunnel", "RFC 9110 9.3.6", request(method=b"CONNECT", target=b"x:443", body=HIDDEN)),
    HttpAttack("a tunnel to a path", "RFC 9112 3.2.3", request(_SIZE, method=b"CONNECT", body=HIDDEN)),
    HttpAttack(
        "a length named as hop by hop", "RFC 9110 7.6.1", sized(HIDDEN, b"Connection: content-length")
    ),
    HttpAttack("after a bad request", "RFC 9112 2.2", b"GET /PATH HTTP/9.9\r\n\r\n" + HIDDEN),
    HttpAttack("after words", "RFC 9112 2.2", b"hello\r\n\r\n" + HIDDEN),
    HttpAttack("after close", "RFC 9112 9.6", request(b"Connection: close", method=b"GET") + HIDDEN),
    HttpAttack("behind a trailer", "RFC 9112 7.1.2", chunked(b"0\r\nX\r\n" + HIDDEN)),
]
