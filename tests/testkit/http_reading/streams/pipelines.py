"""Pipelining (RFC 9112 9.3.2): answers in the order of the requests, bodies where they belong."""

from typing import Final

from tests.testkit.http_reading.stream import (
    PATH,
    SMUGGLED,
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

_RULE: Final = "RFC 9112 9.3.2"
_GET: Final = request(method=b"GET")
_HEAD: Final = request(method=b"HEAD")
_CHUNKED: Final = chunked(b"3\r\nabc\r\n0\r\n\r\n")
_BAD: Final = request(b"Content-Length: x")


def _numbered(count: int) -> tuple[bytes, list[Message]]:
    bodies = [b"body %d" % number for number in range(count)]
    return b"".join(sized(body) for body in bodies), [post(body) for body in bodies]


def _several(count: int) -> Stream:
    octets, messages = _numbered(count)
    return (ordinary if count < 10 else reads)(f"{count} with bodies", _RULE, octets, *messages)


STREAMS: Final[list[Stream]] = [
    *(
        (ordinary if count < 10 else reads)(f"{count} without bodies", _RULE, _GET * count, *[get()] * count)
        for count in (2, 3, 5, 9, 12, 15, 16, 17, 20)
    ),
    *(_several(count) for count in (2, 3, 5, 9, 12, 15, 16, 17, 20)),
    ordinary("chunks, then a length", _RULE, _CHUNKED + sized(b"def"), post(b"abc"), post(b"def")),
    ordinary("a length, then chunks", _RULE, sized(b"def") + _CHUNKED, post(b"def"), post(b"abc")),
    ordinary("chunks five times", _RULE, _CHUNKED * 5, *[post(b"abc")] * 5),
    ordinary("HEAD, then GET", _RULE, _HEAD + _GET, Message(b"HEAD", PATH), get()),
    ordinary("HEAD three times", _RULE, _HEAD * 3, *[Message(b"HEAD", PATH)] * 3),
    ordinary(
        "POST, then HEAD, then POST",
        _RULE,
        sized(b"a") + _HEAD + sized(b"b"),
        post(b"a"),
        Message(b"HEAD", PATH),
        post(b"b"),
    ),
    ordinary(
        "GET with a body, then GET",
        _RULE,
        sized(SMUGGLED, method=b"GET") + _GET,
        Message(b"GET", PATH, SMUGGLED),
        get(),
    ),
    reads(
        "HEAD with a body, then GET",
        _RULE,
        sized(SMUGGLED, method=b"HEAD") + _GET,
        Message(b"HEAD", PATH, SMUGGLED),
        get(),
    ),
    ordinary("bodies that are requests", _RULE, sized(SMUGGLED) * 3, *[post(SMUGGLED)] * 3),
    ordinary(
        "no body between bodies",
        _RULE,
        sized(b"a") + sized(b"") + sized(b"b"),
        post(b"a"),
        post(),
        post(b"b"),
    ),
    closes("a bad one, then good ones", _RULE, _BAD + _GET * 2),
    closes("a good one, a bad one, a good one", _RULE, _GET + _BAD + _GET, get()),
    closes("five good ones, then a bad one", _RULE, _GET * 5 + _BAD, *[get()] * 5),
    closes("a good body, then a bad length", _RULE, sized(SMUGGLED) + _BAD, post(SMUGGLED)),
    closes("a bad chunk, then a good request", _RULE, chunked(b"x\r\n") + _GET),
    closes("a good chunk, then a bad one", _RULE, _CHUNKED + chunked(b"x\r\n") + _GET, post(b"abc")),
    closes("a good one, then words", _RULE, _GET + b"hello, world\r\n\r\n" + _GET, get()),
    closes("a good one, then NULs", _RULE, _GET + b"\x00" * 20, get()),
    closes(
        "close, then another",
        "RFC 9112 9.6",
        request(b"Connection: close", method=b"GET") + _GET,
        get(),
        is_ordinary=True,
    ),
    closes(
        "close with a body, then another",
        "RFC 9112 9.6",
        sized(SMUGGLED, b"Connection: close") + _GET,
        post(SMUGGLED),
        is_ordinary=True,
    ),
    closes(
        "a good one, close, another",
        "RFC 9112 9.6",
        _GET + request(b"Connection: close", method=b"GET") + _GET,
        get(),
        get(),
        is_ordinary=True,
    ),
]
