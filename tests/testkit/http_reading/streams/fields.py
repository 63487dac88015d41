"""Field lines: names are tokens, no space before the colon, no stray CR, LF or NUL (RFC 9112 5)."""

from typing import Final

from tests.testkit.http_reading.stream import (
    SMUGGLED,
    Stream,
    closes,
    ordinary,
    post,
    reads,
    request,
    sized,
)

_NAME: Final = "RFC 9110 5.1, 5.6.2: field-name = token"
_COLON: Final = "RFC 9112 5.1: whitespace before the colon: 400"
_FOLD: Final = "RFC 9112 5.2: obs-fold is refused or read as spaces"
_LINE: Final = "RFC 9112 2.2: CR and LF"
_VALUE: Final = "RFC 9110 5.5"
_SIZE: Final = b"Content-Length: %d" % len(SMUGGLED)
_CODED: Final = b"3\r\nabc\r\n0\r\n\r\n"

_NO_TOKEN: Final = b'"(),/;<=>?@[\\]{}\x7f\x80\xff\x00\x01\x0b\x0c'
_TOKEN: Final = b"!#$%&'*+-.^_`|~"
_BEFORE_COLON: Final = (
    b"X : y",
    b"X\t: y",
    b"Content-Length : %d" % len(SMUGGLED),
    b"Content-Length\t: %d" % len(SMUGGLED),
    b"Transfer-Encoding : chunked",
    b"Transfer-Encoding\t: chunked",
    b"Host : y",
    b"Content-Length\x0b: %d" % len(SMUGGLED),
    b"Transfer-Encoding\x00: chunked",
)
_LENIENT_VALUES: Final = {
    "a tab": b"a\tb",
    "obs-text": b"\x80\xfe\xff",
    "UTF-8": "ключ".encode(),
    "nothing": b"",
    "spaces alone": b"   ",
    "quotes that do not end": b'"a',
    "colons": b"a: b: c",
    "commas": b",,,",
}
_CONTROL_VALUES: Final = {
    "0x01": b"a\x01b",
    "escape": b"a\x1b[31mb",
    "vertical tab": b"a\x0bb",
    "form feed": b"a\x0cb",
    "delete": b"a\x7fb",
    "backspace": b"a\x08b",
    "NUL": b"a\x00b",
    "NUL at the end": b"a\x00",
}
_BARE: Final = {
    "CR in a value": b"X: a\rb",
    "CR before a length": b"X: a\r" + _SIZE,
    "CR before a coding": b"X: a\rTransfer-Encoding: chunked",
    "CR at the end of a value": b"X: a\r",
    "CR at the start of a line": b"\rX: a",
    "CR in a name": b"X\rY: a",
    "two CRs": b"X: a\r\r",
}


def _line(line: bytes) -> bytes:
    return request(_SIZE, line, body=SMUGGLED)


STREAMS: Final[list[Stream]] = [
    *(closes(f"a name with 0x{octet:02x}", _NAME, _line(b"X%cY: z" % octet)) for octet in _NO_TOKEN),
    *(
        ordinary(f"a name with {chr(octet)}", _NAME, _line(b"X%cY: z" % octet), post(SMUGGLED))
        for octet in _TOKEN
    ),
    closes("a name with a space", _NAME, _line(b"X Y: z")),
    closes("no name", _NAME, _line(b": z")),
    closes("no colon", "RFC 9112 5", _line(b"evil")),
    closes("a line of spaces", "RFC 9112 5", request(_SIZE, b"X: y", b"   ", body=SMUGGLED), post(SMUGGLED)),
    *(closes(f"before the colon: {line!r}"[:60], _COLON, _line(line)) for line in _BEFORE_COLON),
    closes("before the colon of the only length", _COLON, request(b"Content-Length : 3", body=b"abc")),
    closes(
        "before the colon of the only coding", _COLON, request(b"Transfer-Encoding : chunked", body=_CODED)
    ),
    reads("a folded value", _FOLD, _line(b"X: a\r\n b"), post(SMUGGLED)),
    reads("a value folded by a tab", _FOLD, _line(b"X: a\r\n\tb"), post(SMUGGLED)),
    reads("a value folded at once", _FOLD, _line(b"X:\r\n a"), post(SMUGGLED)),
    reads("a value folded twice", _FOLD, _line(b"X: a\r\n b\r\n c"), post(SMUGGLED)),
    reads("a value folded to a field", _FOLD, _line(b"X: a\r\n Content-Length: 0"), post(SMUGGLED)),
    reads(
        "a value folded to a coding", _FOLD, _line(b"X: a\r\n\tTransfer-Encoding: chunked"), post(SMUGGLED)
    ),
    reads(
        "a folded length",
        _FOLD,
        request(b"Content-Length:\r\n %d" % len(SMUGGLED), body=SMUGGLED),
        post(SMUGGLED),
    ),
    closes("a length folded in two", _FOLD, request(b"Content-Length: 4\r\n 7", body=SMUGGLED)),
    reads("a folded coding", _FOLD, request(b"Transfer-Encoding:\r\n chunked", body=_CODED), post(b"abc")),
    closes("a coding folded in two", _FOLD, request(b"Transfer-Encoding: chun\r\n ked", body=_CODED)),
    closes("a fold after the request line", "RFC 9112 2.2", request(b" X: a", b"Host: x", host=None), post()),
    closes(
        "a folded length after the request line",
        "RFC 9112 2.2: refused, or the line is passed over",
        request(b" " + _SIZE, b"Host: x", b"Content-Length: 3", host=None, body=b"abc"),
        post(b"abc"),
    ),
    *(
        ordinary(f"a value: {name}", _VALUE, _line(b"X: " + value), post(SMUGGLED))
        for name, value in _LENIENT_VALUES.items()
    ),
    *(
        reads(f"a value with a control: {name}", _VALUE, _line(b"X: " + value), post(SMUGGLED))
        for name, value in _CONTROL_VALUES.items()
    ),
    *(
        reads(f"bare {name}", _LINE, _line(line), post(SMUGGLED))
        if name in ("CR in a value", "CR before a length", "CR before a coding")
        else closes(f"bare {name}", _LINE, _line(line))
        for name, line in _BARE.items()
    ),
    reads(
        "LF after a field",
        "RFC 9112 2.2: a recipient may take LF for CRLF",
        _line(b"X: a\nY: b"),
        post(SMUGGLED),
    ),
    reads(
        "LF before a coding",
        "RFC 9112 2.2",
        request(b"X: a\nTransfer-Encoding: chunked", body=_CODED),
        post(b"abc"),
    ),
    reads(
        "LF at the end of the head",
        "RFC 9112 2.2",
        request(_SIZE).replace(b"\r\n\r\n", b"\r\n\n") + SMUGGLED,
        post(SMUGGLED),
    ),
    reads("LFs alone", "RFC 9112 2.2", request(_SIZE).replace(b"\r\n", b"\n") + SMUGGLED, post(SMUGGLED)),
    closes("CR LF CR at the end of the head", _LINE, request(_SIZE)[:-1] + SMUGGLED),
    closes("NUL before a name", _NAME, _line(b"\x00X: y")),
    closes("NUL before a length", _NAME, request(b"\x00" + _SIZE, body=SMUGGLED)),
    ordinary(
        "a field a hundred times, less the others",
        "RFC 9110 5.3",
        sized(b"abc", *[b"X: y"] * 80),
        post(b"abc"),
    ),
    ordinary("a field with a long value", "RFC 9110 5.4", sized(b"abc", b"X: " + b"y" * 4000), post(b"abc")),
]
