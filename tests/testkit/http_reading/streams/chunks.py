"""Chunks: sizes, extensions and line ends (RFC 9112 7.1)."""

from typing import Final

from tests.testkit.http_reading.stream import (
    Stream,
    chunked,
    closes,
    ordinary,
    post,
    reads,
    waits,
)

_RULE: Final = "RFC 9112 7.1: chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF"
_SIZE: Final = "RFC 9112 7.1: chunk-size = 1*HEXDIG, without overflow"
_END: Final = b"0\r\n\r\n"

_SIZES: Final = {
    "plus sign": b"+3",
    "minus sign": b"-3",
    "prefix 0x": b"0x3",
    "prefix x": b"x3",
    "suffix h": b"3h",
    "underscore": b"0_3",
    "space before": b" 3",
    "tab before": b"\t3",
    "space inside": b"0 3",
    "NUL before": b"\x003",
    "NUL after": b"3\x00",
    "vertical tab before": b"\x0b3",
    "no-break space after": b"3\xa0",
    "point": b"3.0",
    "quoted": b'"3"',
    "comma": b"3,3",
    "nothing": b"",
    "a letter": b"g",
    "fullwidth digit": "３".encode(),
    "superscript digit": b"\xb3",
}
_HUGE: Final = {
    "two to the 32 and three": b"100000003",
    "two to the 63": b"8000000000000000",
    "two to the 64 less one": b"f" * 16,
    "two to the 64": b"10000000000000000",
    "two to the 64 and three": b"10000000000000003",
    "two to the 96 less one": b"f" * 24,
    "two to the 128 and three": b"100000000000000000000000000000003",
}
_ENDS: Final = {
    "a bare line feed": b"3\nabc\r\n0\r\n\r\n",
    "a bare carriage return": b"3\rabc\r\n0\r\n\r\n",
    "two carriage returns": b"3\r\r\nabc\r\n0\r\n\r\n",
    "carriage return and another octet": b"3\rXabc\r\n0\r\n\r\n",
    "a bare line feed after data": b"3\r\nabc\n0\r\n\r\n",
    "a bare carriage return after data": b"3\r\nabc\r0\r\n\r\n",
    "nothing after data": b"3\r\nabc0\r\n\r\n",
    "two other octets after data": b"3\r\nabcXX0\r\n\r\n",
    "data that is longer": b"3\r\nabcd\r\n0\r\n\r\n",
    "data that is shorter": b"3\r\nab\r\n0\r\n\r\n",
    "a line feed after the last size": b"3\r\nabc\r\n0\n\r\n",
    "a line feed at the end": b"3\r\nabc\r\n0\r\n\n",
    "line feeds alone": b"3\nabc\n0\n\n",
    "a carriage return at the end": b"3\r\nabc\r\n0\r\n\rX",
    "an empty line before the size": b"\r\n3\r\nabc\r\n0\r\n\r\n",
    "an empty line between chunks": b"3\r\nabc\r\n\r\n0\r\n\r\n",
}
_EXTENSIONS: Final = {
    "name": b";a",
    "value": b";a=b",
    "quoted value": b';a="b c"',
    "quoted pair": b';a="\\""',
    "two": b";a=b;c=d",
    "space before": b" ;a=b",
    "space after the semicolon": b"; a=b",
    "spaces around": b" ; a = b",
    "quoted semicolon": b';a=";0"',
    "high octet in quotes": b';a="\xff"',
}
_BROKEN_EXTENSIONS: Final = {
    "line feed": b";a\nb",
    "carriage return": b";a\rb",
    "quoted line end": b';a="\r\n"',
    "NUL": b";a\x00",
    "space and no semicolon": b" a=b",
}
_LAST: Final = {"two zeros": b"00", "ten zeros": b"0" * 10, "extension": b"0;a=b"}
_BROKEN_LAST: Final = {
    "minus": b"-0",
    "plus": b"+0",
    "prefix 0x": b"0x0",
    "space before": b" 0",
    "nothing": b"",
    "letter O": b"O",
}

STREAMS: Final[list[Stream]] = [
    ordinary("one chunk", _RULE, chunked(b"3\r\nabc\r\n" + _END), post(b"abc")),
    ordinary("two chunks", _RULE, chunked(b"3\r\nabc\r\n2\r\nde\r\n" + _END), post(b"abcde")),
    ordinary("no chunks", _RULE, chunked(_END), post()),
    ordinary("a size in lower case", _SIZE, chunked(b"a\r\n0123456789\r\n" + _END), post(b"0123456789")),
    ordinary("a size in upper case", _SIZE, chunked(b"A\r\n0123456789\r\n" + _END), post(b"0123456789")),
    ordinary(
        "line ends inside a chunk", _RULE, chunked(b"7\r\n\r\n0\r\n\r\n\r\n" + _END), post(b"\r\n0\r\n\r\n")
    ),
    ordinary("200 chunks of an octet", _RULE, chunked(b"1\r\nx\r\n" * 200 + _END), post(b"x" * 200)),
    ordinary("a size of eight digits", _SIZE, chunked(b"00000003\r\nabc\r\n" + _END), post(b"abc")),
    reads("a size of sixteen digits", _SIZE, chunked(b"0" * 15 + b"3\r\nabc\r\n" + _END), post(b"abc")),
    reads("a size of forty digits", _SIZE, chunked(b"0" * 39 + b"3\r\nabc\r\n" + _END), post(b"abc")),
    closes("a space after a size", _RULE, chunked(b"3 \r\nabc\r\n" + _END), post(b"abc")),
    closes("a tab after a size", _RULE, chunked(b"3\t\r\nabc\r\n" + _END), post(b"abc")),
    closes("an empty extension", _RULE, chunked(b"3;\r\nabc\r\n" + _END), post(b"abc")),
    closes("empty extensions", _RULE, chunked(b"3;;\r\nabc\r\n" + _END), post(b"abc")),
    *(
        closes(f"a size that is none: {name}", _SIZE, chunked(size + b"\r\nabc\r\n" + _END))
        for name, size in _SIZES.items()
    ),
    *(
        waits(f"a huge size: {name}", _SIZE, chunked(size + b"\r\nabc\r\n" + _END))
        for name, size in _HUGE.items()
    ),
    *(closes(f"line ends: {name}", "RFC 9112 7.1, 2.2", chunked(coded)) for name, coded in _ENDS.items()),
    *(
        ordinary(
            f"an extension: {name}",
            "RFC 9112 7.1.1",
            chunked(b"3" + extension + b"\r\nabc\r\n" + _END),
            post(b"abc"),
        )
        if b"a = b" not in extension
        and b" ;" not in extension
        and b"; " not in extension
        and b"\xff" not in extension
        else reads(
            f"an extension: {name}",
            "RFC 9112 7.1.1",
            chunked(b"3" + extension + b"\r\nabc\r\n" + _END),
            post(b"abc"),
        )
        for name, extension in _EXTENSIONS.items()
    ),
    *(
        closes(
            f"a broken extension: {name}", "RFC 9112 7.1.1", chunked(b"3" + extension + b"\r\nabc\r\n" + _END)
        )
        for name, extension in _BROKEN_EXTENSIONS.items()
    ),
    *(
        reads(f"a last chunk: {name}", _RULE, chunked(b"3\r\nabc\r\n" + last + b"\r\n\r\n"), post(b"abc"))
        for name, last in _LAST.items()
    ),
    *(
        closes(f"a last chunk that is none: {name}", _RULE, chunked(b"3\r\nabc\r\n" + last + b"\r\n\r\n"))
        for name, last in _BROKEN_LAST.items()
    ),
    waits("chunks without an end", _RULE, chunked(b"3\r\nabc\r\n")),
    waits("a chunk that is short", _RULE, chunked(b"ff\r\nabc\r\n")),
    waits("an end without its last line", _RULE, chunked(b"3\r\nabc\r\n0\r\n")),
]
