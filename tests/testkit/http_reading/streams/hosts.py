"""Host: one, with a host and perhaps a port (RFC 9112 3.2, RFC 9110 7.2)."""

from typing import Final

from tests.testkit.http_reading.stream import (
    PATH,
    Message,
    Stream,
    closes,
    get,
    ordinary,
    post,
    reads,
    request,
)

_ONE: Final = "RFC 9112 3.2: no Host, more than one, or an invalid one: 400"
_VALID: Final = (
    "x",
    "x:80",
    "x:",
    "example.com",
    "127.0.0.1:8080",
    "[::1]",
    "[::1]:8080",
    "xn--e1afmkfd.example",
    "X",
    "a_b",
    "x.",
)
_INVALID: Final = {
    "userinfo": b"user@x",
    "userinfo and password": b"user:secret@x",
    "a scheme": b"http://x",
    "a path": b"x/y",
    "a query": b"x?y",
    "a fragment": b"x#y",
    "two in a list": b"x, y",
    "two words": b"x y",
    "a port that is none": b"x:port",
    "two ports": b"x:80:80",
    "a quote": b'"x"',
    "a backslash": b"x\\y",
    "a high octet": b"x\xff",
    "a NUL": b"x\x00y",
    "a tab": b"x\ty",
    "angle brackets": b"<x>",
    "an open bracket": b"[::1",
    "a brace": b"{x}",
}


def _asked(*fields: bytes, **parts: bytes) -> bytes:
    return request(*fields, host=None, **{"method": b"GET", **parts})


STREAMS: Final[list[Stream]] = [
    *(
        ordinary(f"a host: {host}", "RFC 9110 7.2", _asked(b"Host: " + host.encode()), get())
        for host in _VALID
    ),
    ordinary("Host in lower case", "RFC 9110 5.1", _asked(b"host: x"), get()),
    ordinary("Host last", "RFC 9110 7.2", _asked(b"X: y", b"Host: x"), get()),
    reads("an empty Host", "RFC 9110 7.2: empty where the target has no authority", _asked(b"Host:"), get()),
    closes("no Host", _ONE, _asked()),
    closes("no Host, but a body", _ONE, _asked(b"Content-Length: 3", method=b"POST", body=b"abc")),
    closes("no Host, but another field", _ONE, _asked(b"X-Forwarded-Host: x")),
    closes("no Host and an absolute target", _ONE, _asked(target=b"http://x/PATH")),
    closes("no Host and an asterisk", _ONE, _asked(method=b"OPTIONS", target=b"*")),
    closes("the same Host twice", _ONE, _asked(b"Host: x", b"Host: x")),
    closes("two Hosts", _ONE, _asked(b"Host: x", b"Host: y")),
    closes("two Hosts apart", _ONE, _asked(b"Host: x", b"X: y", b"host: y")),
    closes("three Hosts", _ONE, _asked(b"Host: x", b"Host: y", b"Host: z")),
    closes("two Hosts, one empty", _ONE, _asked(b"Host: x", b"Host:")),
    closes(
        "two Hosts with a body",
        _ONE,
        _asked(b"Host: x", b"Host: y", b"Content-Length: 3", method=b"POST", body=b"abc"),
    ),
    *(closes(f"a Host with {name}", _ONE, _asked(b"Host: " + value)) for name, value in _INVALID.items()),
    reads(
        "another Host than the target's",
        "RFC 9112 3.2.2: the target's counts",
        _asked(b"Host: y", target=b"http://x/PATH"),
        get(),
    ),
    closes(
        "an absolute target with userinfo",
        "RFC 9110 4.2.4: an error",
        _asked(b"Host: x", target=b"http://user@x/PATH"),
        get(),
    ),
    closes(
        "no Host in HTTP/1.0", "RFC 9112 3.2: asked of HTTP/1.1 alone", _asked(version=b"HTTP/1.0"), get()
    ),
    closes("two Hosts in HTTP/1.0", _ONE, _asked(b"Host: x", b"Host: y", version=b"HTTP/1.0")),
    reads(
        "OPTIONS * with a Host",
        "RFC 9112 3.2.4",
        _asked(b"Host: x", method=b"OPTIONS", target=b"*"),
        Message(b"OPTIONS", b"*"),
    ),
    closes("a bad request after a good one", _ONE, _asked(b"Host: x") + _asked(), get()),
    closes(
        "a good request after a bad one",
        _ONE,
        _asked() + request(b"Content-Length: 3", target=PATH, body=b"abc") + _asked(b"Host: x"),
    ),
    ordinary(
        "another Host in the next request",
        "RFC 9112 9.3",
        _asked(b"Host: x") + _asked(b"Host: y"),
        get(),
        get(),
    ),
    ordinary(
        "a Host and a body",
        "RFC 9110 7.2",
        _asked(b"Host: x", b"Content-Length: 3", method=b"POST", body=b"abc"),
        post(b"abc"),
    ),
]
