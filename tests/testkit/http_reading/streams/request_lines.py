"""Request lines (RFC 9112 3): three parts, one space apart."""

from typing import Final

from tests.testkit.http_reading.stream import (
    HOST,
    PATH,
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

_RULE: Final = "RFC 9112 3: request-line = method SP request-target SP HTTP-version"
_VERSION: Final = "RFC 9112 2.3: HTTP-version is case-sensitive, two digits"
_METHOD: Final = "RFC 9110 9.1: method = token, case-sensitive"
_TARGET: Final = "RFC 9112 3.2"


def _line(line: bytes) -> bytes:
    return line + b"\r\n" + HOST + b"\r\n\r\n"


_BROKEN: Final = {
    "two spaces before the target": b"GET  /PATH HTTP/1.1",
    "two spaces before the version": b"GET /PATH  HTTP/1.1",
    "a tab before the target": b"GET\t/PATH HTTP/1.1",
    "a tab before the version": b"GET /PATH\tHTTP/1.1",
    "a vertical tab": b"GET\x0b/PATH HTTP/1.1",
    "a carriage return before the version": b"GET /PATH\rHTTP/1.1",
    "a space after the version": b"GET /PATH HTTP/1.1 ",
    "a tab after the version": b"GET /PATH HTTP/1.1\t",
    "a space in front": b" GET /PATH HTTP/1.1",
    "a tab in front": b"\tGET /PATH HTTP/1.1",
    "a space in the target": b"GET /PA TH HTTP/1.1",
    "no target": b"GET HTTP/1.1",
    "an empty target": b"GET  HTTP/1.1",
    "a method alone": b"GET",
    "four words": b"GET /PATH HTTP/1.1 HTTP/1.1",
    "a NUL in front": b"\x00GET /PATH HTTP/1.1",
    "a NUL in the target": b"GET /PA\x00TH HTTP/1.1",
    "a byte order mark": b"\xef\xbb\xbfGET /PATH HTTP/1.1",
}
_VERSIONS: Final = {
    "HTTP/2.0": b"HTTP/2.0",
    "HTTP/3.0": b"HTTP/3.0",
    "HTTP/0.9": b"HTTP/0.9",
    "HTTP/1": b"HTTP/1",
    "HTTP/1.": b"HTTP/1.",
    "HTTP/11": b"HTTP/11",
    "HTTP/1.10": b"HTTP/1.10",
    "HTTP/01.1": b"HTTP/01.1",
    "HTTP/1,1": b"HTTP/1,1",
    "HTTP/ 1.1": b"HTTP/ 1.1",
    "http/1.1": b"http/1.1",
    "HTTPS/1.1": b"HTTPS/1.1",
    "ICY": b"ICY",
    "HTTP1.1": b"HTTP1.1",
    "HTTP/-1.1": b"HTTP/-1.1",
    "HTTP/1.x": b"HTTP/1.x",
}
_METHODS: Final = {
    "parenthesis": b"G(T",
    "slash": b"G/T",
    "at": b"G@T",
    "quote": b'G"T',
    "high octet": b"G\xc9T",
}
_TARGETS: Final = {
    "no slash": b"PATH",
    "backslash": b"\\PATH",
    "asterisk with GET": b"*",
    "authority with GET": b"x:443",
    "query alone": b"?a=b",
    "a fragment alone": b"#a",
}

STREAMS: Final[list[Stream]] = [
    ordinary("GET", _RULE, request(method=b"GET"), get()),
    ordinary("HEAD", _RULE, request(method=b"HEAD"), Message(b"HEAD", PATH)),
    ordinary("PUT", _RULE, sized(b"abc", method=b"PUT"), Message(b"PUT", PATH, b"abc")),
    ordinary("PATCH", "RFC 5789", sized(b"abc", method=b"PATCH"), Message(b"PATCH", PATH, b"abc")),
    ordinary(
        "a query", _TARGET, request(method=b"GET", target=b"/PATH?a=b&c=/d?e"), get(b"/PATH?a=b&c=/d?e")
    ),
    *(closes(f"spaces: {name}", _RULE, _line(line)) for name, line in _BROKEN.items()),
    *(
        closes(f"a version: {name}", _VERSION, request(method=b"GET", version=version))
        for name, version in _VERSIONS.items()
    ),
    reads(
        "a version: HTTP/1.2",
        "RFC 9110 2.5: a higher minor version",
        request(method=b"GET", version=b"HTTP/1.2"),
        get(),
    ),
    reads(
        "a version: HTTP/1.9",
        "RFC 9110 2.5: a higher minor version",
        request(method=b"GET", version=b"HTTP/1.9"),
        get(),
    ),
    closes("no version", "RFC 9112 3: HTTP/0.9 is not spoken", b"GET /PATH\r\n\r\n"),
    closes("no version and a line", "RFC 9112 3", b"GET /PATH\r\n"),
    closes("no version and a Host", "RFC 9112 3", b"GET /PATH\r\nHost: x\r\n\r\n"),
    closes("no version and a body", "RFC 9112 3", b"POST /PATH\r\nContent-Length: 3\r\n\r\nabc"),
    closes(
        "HTTP/2 from the start",
        "RFC 9113 3.4",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    ),
    closes("TLS", "RFC 9112 3", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    closes(
        "PROXY protocol", "RFC 9112 3", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + request(method=b"GET")
    ),
    closes(
        "PROXY protocol 2", "RFC 9112 3", b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + b"\x7f\x00\x00\x01" * 3
    ),
    reads("a method in lower case", _METHOD, request(method=b"get"), Message(b"get", PATH)),
    reads("a method in mixed case", _METHOD, request(method=b"Get"), Message(b"Get", PATH)),
    closes("an empty method", _METHOD, _line(b" /PATH HTTP/1.1")),
    *(closes(f"a method with {name}", _METHOD, request(method=method)) for name, method in _METHODS.items()),
    reads("a method nobody knows", _METHOD, sized(b"abc", method=b"FROB"), Message(b"FROB", PATH, b"abc")),
    reads(
        "a method with a hyphen",
        _METHOD,
        sized(b"abc", method=b"M-SEARCH"),
        Message(b"M-SEARCH", PATH, b"abc"),
    ),
    reads(
        "a method with odd token characters",
        _METHOD,
        sized(b"abc", method=b"A!B"),
        Message(b"A!B", PATH, b"abc"),
    ),
    reads("PRI as a method", _METHOD, request(method=b"PRI"), Message(b"PRI", PATH)),
    *(
        closes(f"a target: {name}", _TARGET, request(method=b"GET", target=target))
        for name, target in _TARGETS.items()
    ),
    reads(
        "an asterisk with OPTIONS",
        "RFC 9112 3.2.4",
        request(method=b"OPTIONS", target=b"*"),
        Message(b"OPTIONS", b"*"),
    ),
    reads("an absolute target", "RFC 9112 3.2.2", request(method=b"GET", target=b"http://x/PATH"), get()),
    reads(
        "an absolute target with a query",
        "RFC 9112 3.2.2",
        request(method=b"GET", target=b"http://x/PATH?a=b"),
        get(b"/PATH?a=b"),
    ),
    reads(
        "an absolute target in capitals",
        "RFC 9110 4.2.3",
        request(method=b"GET", target=b"HTTP://X/PATH"),
        get(),
    ),
    reads(
        "an absolute target with a body",
        "RFC 9112 3.2.2",
        request(b"Content-Length: 3", target=b"http://x/PATH", body=b"abc"),
        post(b"abc"),
    ),
    reads(
        "an absolute target of another scheme",
        "RFC 9112 3.2.2",
        request(method=b"GET", target=b"ftp://x/PATH"),
        get(),
    ),
    closes(
        "an absolute target without a host",
        "RFC 9110 4.2.1: an empty host is invalid",
        request(method=b"GET", target=b"http:///PATH"),
    ),
    closes("a fragment", _TARGET, request(method=b"GET", target=b"/PATH#a"), get(b"/PATH")),
    closes(
        "a high octet in the target",
        "RFC 3986 2",
        request(method=b"GET", target=b"/PATH?\xff"),
        get(b"/PATH?\xff"),
    ),
    closes(
        "a delete in the target",
        "RFC 3986 2",
        request(method=b"GET", target=b"/PATH?\x7f"),
        get(b"/PATH?\x7f"),
    ),
    reads("an empty line in front", "RFC 9112 2.2", b"\r\n" + request(method=b"GET"), get()),
    reads(
        "empty lines in front",
        "RFC 9112 2.2: at least one is ignored",
        b"\r\n\r\n\r\n" + request(method=b"GET"),
        get(),
    ),
    reads(
        "an empty line between",
        "RFC 9112 2.2",
        sized(b"abc") + b"\r\n" + request(method=b"GET"),
        post(b"abc"),
        get(),
    ),
    reads("a line feed in front", "RFC 9112 2.2", b"\n" + request(method=b"GET"), get()),
    closes("a carriage return in front", "RFC 9112 2.2", b"\r" + request(method=b"GET"), get()),
]
