"""Content-Length: one decimal number, or a message without a known end (RFC 9110 8.6, RFC 9112 6.3)."""

from typing import Final

from tests.testkit.http_reading.stream import (
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
    waits,
)

_RULE: Final = "RFC 9112 6.3: an invalid Content-Length is an unrecoverable error"
_SIZE: Final = b"%d" % len(SMUGGLED)

_NO_NUMBERS: Final = {
    "plus sign": b"+" + _SIZE,
    "minus sign": b"-" + _SIZE,
    "minus zero": b"-0",
    "hexadecimal": b"0x%x" % len(SMUGGLED),
    "hexadecimal digits": b"2a",
    "decimal point": _SIZE + b".0",
    "exponent": b"4e1",
    "underscore": b"4_7",
    "thousands": b"0,047",
    "space inside": b"4 7",
    "tab inside": b"4\t7",
    "nothing": b"",
    "only spaces": b"   ",
    "quoted": b'"' + _SIZE + b'"',
    "word": b"all",
    "semicolon": _SIZE + b";",
    "unit": _SIZE + b"b",
    "NUL after": _SIZE + b"\x00",
    "NUL before": b"\x00" + _SIZE,
    "vertical tab after": _SIZE + b"\x0b",
    "form feed before": b"\x0c" + _SIZE,
    "no-break space after": _SIZE + b"\xa0",
    "superscript digit": b"4\xb2",
    "fullwidth digits": "４７".encode(),
    "comma at the end": _SIZE + b",",
    "comma before": b"," + _SIZE,
    "two numbers": _SIZE + b", 0",
    "zero first": b"0, " + _SIZE,
    "brackets": b"(" + _SIZE + b")",
    "percent escape": b"%34%37",
}
_TOO_LARGE: Final = {
    "two to the 31": 2**31,
    "two to the 32 and the size": 2**32 + len(SMUGGLED),
    "two to the 63": 2**63,
    "two to the 64": 2**64,
    "two to the 64 and the size": 2**64 + len(SMUGGLED),
    "ten to the 40": 10**40,
    "ten to the 400": 10**400,
}


def _length(value: bytes) -> bytes:
    return request(b"Content-Length: " + value, body=SMUGGLED)


STREAMS: Final[list[Stream]] = [
    ordinary("a length", "RFC 9112 6.3", sized(SMUGGLED), post(SMUGGLED)),
    ordinary("a length of zero", "RFC 9112 6.3", sized(b""), post()),
    ordinary("no length", "RFC 9112 6.3: a request without either has no body", request(), post()),
    ordinary(
        "a length in lower case",
        "RFC 9110 5.1",
        request(b"content-length: " + _SIZE, body=SMUGGLED),
        post(SMUGGLED),
    ),
    ordinary("spaces around a length", "RFC 9110 5.5", _length(b"  " + _SIZE + b"  "), post(SMUGGLED)),
    ordinary(
        "no space before a length",
        "RFC 9110 5.5",
        request(b"Content-Length:" + _SIZE, body=SMUGGLED),
        post(SMUGGLED),
    ),
    reads("a tab before a length", "RFC 9110 5.5", _length(b"\t" + _SIZE), post(SMUGGLED)),
    reads("leading zeros", "RFC 9110 8.6: 1*DIGIT", _length(b"000" + _SIZE), post(SMUGGLED)),
    reads("forty leading zeros", "RFC 9110 8.6: 1*DIGIT", _length(b"0" * 40 + _SIZE), post(SMUGGLED)),
    reads("the same length twice in a list", "RFC 9110 8.6", _length(_SIZE + b", " + _SIZE), post(SMUGGLED)),
    reads(
        "the same length in two fields",
        "RFC 9110 8.6",
        request(*[b"Content-Length: " + _SIZE] * 2, body=SMUGGLED),
        post(SMUGGLED),
    ),
    closes(
        "two lengths",
        _RULE,
        request(b"Content-Length: 0", b"Content-Length: " + _SIZE, body=SMUGGLED),
    ),
    closes(
        "two lengths, the longer one first",
        _RULE,
        request(b"Content-Length: " + _SIZE, b"Content-Length: 0", body=SMUGGLED),
    ),
    closes(
        "two lengths in other cases",
        _RULE,
        request(b"content-length: 5", b"CONTENT-LENGTH: " + _SIZE, body=SMUGGLED),
    ),
    closes(
        "two lengths apart",
        _RULE,
        request(b"Content-Length: 0", b"X: y", b"Content-Length: " + _SIZE, body=SMUGGLED),
    ),
    closes(
        "a length and an empty one",
        _RULE,
        request(b"Content-Length: " + _SIZE, b"Content-Length:", body=SMUGGLED),
    ),
    *(closes(f"a length that is none: {name}", _RULE, _length(value)) for name, value in _NO_NUMBERS.items()),
    *(
        waits(f"a huge length: {name}", "RFC 9110 8.6: no overflow", _length(b"%d" % value))
        for name, value in _TOO_LARGE.items()
    ),
    waits("a body that is short", "RFC 9112 8", request(b"Content-Length: 100", body=SMUGGLED)),
    ordinary(
        "GET with a body",
        "RFC 9110 9.3.1",
        sized(SMUGGLED, method=b"GET"),
        Message(b"GET", b"/PATH", SMUGGLED),
    ),
    reads(
        "HEAD with a body",
        "RFC 9110 9.3.2",
        sized(SMUGGLED, method=b"HEAD"),
        Message(b"HEAD", b"/PATH", SMUGGLED),
    ),
    ordinary(
        "DELETE with a body",
        "RFC 9110 9.3.5",
        sized(SMUGGLED, method=b"DELETE"),
        Message(b"DELETE", b"/PATH", SMUGGLED),
    ),
    reads(
        "OPTIONS with a body",
        "RFC 9110 9.3.7",
        sized(SMUGGLED, method=b"OPTIONS"),
        Message(b"OPTIONS", b"/PATH", SMUGGLED),
    ),
    closes(
        "a body that was not announced",
        "RFC 9112 6.3: what follows is the next message",
        request(body=b"three words more\r\n\r\n"),
        post(),
    ),
    reads(
        "a name like Content-Length",
        "RFC 9110 5.1",
        request(b"Content_Length: " + _SIZE, body=SMUGGLED),
        post(),
        get(b"/health/live?smuggled"),
    ),
    reads(
        "another name like Content-Length",
        "RFC 9110 5.1",
        request(b"X-Content-Length: " + _SIZE, body=SMUGGLED),
        post(),
        get(b"/health/live?smuggled"),
    ),
]
