"""Long messages: read completely or refused, never in part (RFC 9110 2.3, CWE-770)."""

from typing import Final

from tests.testkit.http_reading.stream import (
    PATH,
    Message,
    Stream,
    chunked,
    closes,
    get,
    ordinary,
    post,
    reads,
    request,
    sized,
)

_TARGET: Final = "RFC 9112 3: targets of 8000 octets at least; longer ones 414"
_HEAD: Final = "RFC 9110 5.4: 431"
_ENDS_LATE: Final = b"x" * 60_000

STREAMS: Final[list[Stream]] = [
    ordinary(
        "a target of 4 KiB",
        _TARGET,
        request(method=b"GET", target=b"/PATH?" + b"a" * 4096),
        get(b"/PATH?" + b"a" * 4096),
    ),
    reads(
        "a target of 7900 octets",
        _TARGET,
        request(method=b"GET", target=b"/PATH?" + b"a" * 7900),
        get(b"/PATH?" + b"a" * 7900),
    ),
    closes("a target of 300 KiB", _TARGET, request(method=b"GET", target=b"/PATH?" + b"a" * 300_000)),
    closes("a method of 300 KiB", "RFC 9112 3", request(method=b"G" * 300_000)),
    closes("a version of 300 KiB", "RFC 9112 3", request(version=b"HTTP/1." + b"1" * 300_000)),
    reads("a value of 7 KiB", _HEAD, sized(b"abc", b"X: " + b"a" * 7000), post(b"abc")),
    closes("a value of 1.5 MiB", _HEAD, sized(b"abc", b"X: " + b"a" * 1_500_000)),
    closes("a name of 1.5 MiB", _HEAD, sized(b"abc", b"X" * 1_500_000 + b": a")),
    closes("50,000 fields", _HEAD, sized(b"abc", *[b"X: y"] * 50_000)),
    closes(
        "a chunk extension of 1.5 MiB", "CWE-770", chunked(b"3;" + b"a" * 1_500_000 + b"\r\nabc\r\n0\r\n\r\n")
    ),
    closes(
        "a chunk size of 100,000 zeros",
        "CWE-770",
        chunked(b"0" * 100_000 + b"3\r\nabc\r\n0\r\n\r\n"),
        post(b"abc"),
    ),
    reads("a body of 60 KB", "RFC 9112 6", sized(_ENDS_LATE), post(_ENDS_LATE)),
    reads(
        "a body of 60 KB in chunks",
        "RFC 9112 7.1",
        chunked(b"ea60\r\n" + _ENDS_LATE + b"\r\n0\r\n\r\n"),
        post(_ENDS_LATE),
    ),
    reads(
        "2,000 chunks of an octet",
        "RFC 9112 7.1",
        chunked(b"1\r\nx\r\n" * 2000 + b"0\r\n\r\n"),
        post(b"x" * 2000),
    ),
    reads(
        "HEAD with a long target",
        _TARGET,
        request(method=b"HEAD", target=b"/PATH?" + b"a" * 2000),
        Message(b"HEAD", PATH + b"?" + b"a" * 2000),
    ),
    reads(
        "1,000 empty lines in front",
        "RFC 9112 2.2: at least one is ignored",
        b"\r\n" * 1000 + request(method=b"GET"),
        get(),
    ),
]
