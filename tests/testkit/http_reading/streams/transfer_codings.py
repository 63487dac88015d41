"""Transfer-Encoding: chunked, once and last, or a message without a known end (RFC 9112 6.1, 6.3, 7)."""

from typing import Final

from tests.testkit.http_reading.stream import (
    SMUGGLED,
    Stream,
    closes,
    ordinary,
    post,
    reads,
    request,
)

_CODED: Final = b"3\r\nabc\r\n0\r\n\r\n"
_LAST: Final = "RFC 9112 6.3: chunked is not the final coding: 400 and close"
_BOTH: Final = "RFC 9112 6.3: Transfer-Encoding overrides, and the connection is closed"
_SYNTAX: Final = "RFC 9112 6.1: no such transfer coding"
_SIZE: Final = b"Content-Length: %d" % len(SMUGGLED)
_CHUNKED: Final = b"Transfer-Encoding: chunked"
_ENDS_AT_ONCE: Final = b"0\r\n\r\n" + SMUGGLED

_NOT_FINAL: Final = (
    b"identity",
    b"gzip",
    b"chunked, identity",
    b"chunked, gzip",
    b"chunked;foo, gzip",
    b"deflate",
)
_NOT_CHUNKED: Final = {
    "quoted": b'"chunked"',
    "single quotes": b"'chunked'",
    "prefix": b"xchunked",
    "suffix": b"chunkedx",
    "space inside": b"chun ked",
    "after a word": b"x chunked",
    "vertical tab before": b"\x0bchunked",
    "vertical tab after": b"chunked\x0b",
    "form feed before": b"\x0cchunked",
    "NUL after": b"chunked\x00",
    "no-break space before": b"\xa0chunked",
    "high octet after": b"chunked\xff",
    "semicolon in front": b";chunked",
    "colon": b":chunked",
    "brackets": b"(chunked)",
    "percent escape": b"%63hunked",
    "long s": "chunked".replace("k", "\u212a").encode(),
    "underscore": b"chunked_",
}


def _coding(value: bytes, body: bytes = _CODED) -> bytes:
    return request(b"Transfer-Encoding: " + value, body=body)


STREAMS: Final[list[Stream]] = [
    ordinary("chunked", "RFC 9112 7.1", _coding(b"chunked"), post(b"abc")),
    ordinary("chunked in capitals", "RFC 9112 7: case-insensitive", _coding(b"CHUNKED"), post(b"abc")),
    ordinary("chunked in mixed case", "RFC 9112 7: case-insensitive", _coding(b"cHuNkEd"), post(b"abc")),
    reads("spaces around chunked", "RFC 9110 5.5", _coding(b" \t chunked \t "), post(b"abc")),
    reads("an empty element after chunked", "RFC 9110 5.6.1.2", _coding(b"chunked,"), post(b"abc")),
    reads("an empty element before chunked", "RFC 9110 5.6.1.2", _coding(b", chunked"), post(b"abc")),
    reads(
        "chunked with a parameter",
        "RFC 9112 7: treated as an error or ignored",
        _coding(b"chunked;q=1"),
        post(b"abc"),
    ),
    closes("chunked with a broken parameter", "RFC 9112 7", _coding(b"chunked;"), post(b"abc")),
    reads("gzip, chunked", "RFC 9112 6.1: framed, or 501", _coding(b"gzip, chunked"), post(b"abc")),
    reads("identity, chunked", "RFC 9112 6.1: framed, or 501", _coding(b"identity, chunked"), post(b"abc")),
    reads(
        "gzip and chunked in two fields",
        "RFC 9110 5.3",
        request(b"Transfer-Encoding: gzip", _CHUNKED, body=_CODED),
        post(b"abc"),
    ),
    closes("chunked twice", "RFC 9112 6.1: not more than once", _coding(b"chunked, chunked")),
    closes(
        "chunked in two fields", "RFC 9112 6.1: not more than once", request(_CHUNKED, _CHUNKED, body=_CODED)
    ),
    closes(
        "chunked and identity in two fields",
        _LAST,
        request(_CHUNKED, b"Transfer-Encoding: identity", body=_CODED),
    ),
    closes(
        "chunked and a foreign one in two fields",
        _LAST,
        request(_CHUNKED, b"Transfer-Encoding: x", body=_CODED),
    ),
    closes(
        "chunked and an empty field",
        _LAST,
        request(b"Transfer-Encoding:", _CHUNKED, body=_CODED),
        post(b"abc"),
    ),
    closes("no coding", _SYNTAX, request(b"Transfer-Encoding:", _SIZE, body=SMUGGLED)),
    *(closes(f"not final: {value.decode()}", _LAST, _coding(value)) for value in _NOT_FINAL),
    *(
        closes(
            f"not final, with a length: {value.decode()}",
            _LAST,
            request(b"Transfer-Encoding: " + value, _SIZE, body=SMUGGLED),
        )
        for value in _NOT_FINAL
    ),
    *(closes(f"not chunked: {name}", _SYNTAX, _coding(value)) for name, value in _NOT_CHUNKED.items()),
    *(
        closes(
            f"not chunked, with a length: {name}",
            _SYNTAX,
            request(b"Transfer-Encoding: " + value, _SIZE, body=SMUGGLED),
        )
        for name, value in _NOT_CHUNKED.items()
    ),
    closes("both, the length first", _BOTH, request(_SIZE, _CHUNKED, body=_ENDS_AT_ONCE), post()),
    closes("both, the coding first", _BOTH, request(_CHUNKED, _SIZE, body=_ENDS_AT_ONCE), post()),
    closes(
        "both, with a length of zero",
        _BOTH,
        request(b"Content-Length: 0", _CHUNKED, body=_CODED),
        post(b"abc"),
    ),
    closes(
        "both, with a length of five",
        _BOTH,
        request(b"Content-Length: 5", _CHUNKED, body=_CODED),
        post(b"abc"),
    ),
    closes(
        "both, with a length that is none",
        _BOTH,
        request(b"Content-Length: x", _CHUNKED, body=_CODED),
        post(b"abc"),
    ),
    closes(
        "both, in lower case",
        _BOTH,
        request(b"content-length: 4", b"transfer-encoding: chunked", body=_CODED),
        post(b"abc"),
    ),
    closes(
        "both, and an Upgrade",
        _BOTH,
        request(_SIZE, _CHUNKED, b"Connection: Upgrade", b"Upgrade: h2c", body=_ENDS_AT_ONCE),
        post(),
    ),
    closes(
        "a coding in HTTP/1.0",
        "RFC 9112 6.1: framing is faulty, close",
        request(_CHUNKED, version=b"HTTP/1.0", body=_CODED),
        post(b"abc"),
    ),
    closes(
        "a coding in HTTP/1.0 kept alive",
        "RFC 9112 6.1: framing is faulty, close",
        request(_CHUNKED, b"Connection: keep-alive", version=b"HTTP/1.0", body=_CODED),
        post(b"abc"),
    ),
    closes(
        "both in HTTP/1.0",
        "RFC 9112 6.1: framing is faulty, close",
        request(_CHUNKED, _SIZE, b"Connection: keep-alive", version=b"HTTP/1.0", body=_ENDS_AT_ONCE),
        post(),
    ),
    closes(
        "a coding named as hop by hop",
        "RFC 9110 7.6.1: Connection cannot take the framing away",
        request(_CHUNKED, b"Connection: transfer-encoding, close", body=_CODED),
        post(b"abc"),
    ),
    closes(
        "a name like Transfer-Encoding",
        "RFC 9110 5.1",
        request(b"Transfer_Encoding: chunked", body=_CODED),
        post(),
    ),
    closes(
        "another name like Transfer-Encoding",
        "RFC 9110 5.1",
        request(b"Transfer-Encodin: chunked", body=_CODED),
        post(),
    ),
]
