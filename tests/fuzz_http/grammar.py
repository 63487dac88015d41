"""Mostly valid streams of requests with some errors, from hypothesis."""

from typing import Final

from hypothesis import strategies as st

from tests.testkit.http_reading.stream import SMUGGLED
from tests.testkit.http_reading.streams import STREAMS
from tests.testkit.http_reading.streams.trailers import NAMES

_Octets = st.SearchStrategy[bytes]


def _mostly(usual: bytes, *others: bytes, weight: int = 40) -> _Octets:
    return st.sampled_from([*[usual] * weight, *others])


_BODIES: Final = (b"", b"abc", SMUGGLED, b"0\r\n\r\n", b"x" * 100, b"\r\n", b"\x00\xff")
_line_end: Final = _mostly(b"\r\n", b"\n", b"\r", b"\r\r\n", b"\r\n ", weight=150)
_space: Final = _mostly(b" ", b"  ", b"\t", b"", weight=100)
_method: Final = st.sampled_from(
    [*[b"POST"] * 6, *[b"GET"] * 4, b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"CONNECT", b"FROB", b"get"]
)
_target: Final = _mostly(
    b"/PATH",
    *(
        b"/PATH?a=b",
        b"http://x/PATH",
        b"http://u@x/PATH",
        b"*",
        b"x:443",
        b"",
        b"/PATH#a",
        b"//PATH",
        b"/PA TH",
    ),
)
_version: Final = _mostly(b"HTTP/1.1", b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"http/1.1", b"HTTP/0.9", b"")
_colon: Final = _mostly(b": ", b":", b" : ", b"\t:", b":\t ", b"", b":\r\n ", weight=100)
_host: Final = _mostly(b"x", b"x:80", b"", b"u@x", b"x/y", b"x, y", b"[::1]")
_length: Final = st.sampled_from(
    [
        b"0",
        b"3",
        b"+3",
        b"-1",
        b"0x3",
        b"03",
        b"3, 3",
        b"3, 4",
        b"",
        b" 3",
        b"3 ",
        b"1" * 30,
        b"3\x00",
        b"abc",
    ]
)
_coding: Final = st.sampled_from(
    [
        *[b"chunked"] * 4,
        *(b"Chunked", b"gzip, chunked", b"chunked, gzip", b"identity", b"chunked, chunked", b" chunked", b""),
        *(b"chunked;a", b"xchunked", b"\x0bchunked", b"chunked\x00", b'"chunked"'),
    ]
)
_other: Final = st.one_of(
    st.tuples(
        st.just(b"Connection"),
        st.sampled_from([b"close", b"keep-alive", b"Upgrade", b"Upgrade, HTTP2-Settings", b"content-length"]),
    ),
    st.tuples(st.just(b"Upgrade"), st.sampled_from([b"h2c", b"websocket", b"TLS/1.0", b""])),
    st.tuples(st.just(b"Expect"), st.sampled_from([b"100-continue", b"other"])),
    st.tuples(st.just(b"Host"), _host),
    st.tuples(st.sampled_from(NAMES), st.sampled_from([b"evil", b"", b"a, b"])),
    st.tuples(
        st.sampled_from([b"X", b"X Y", b"X\x00", b"", b"Content_Length", b"\xff", b"X;"]), st.just(b"y")
    ),
    st.tuples(st.just(b"X"), st.binary(max_size=6)),
    st.tuples(st.just(b"X"), st.just(b"y" * 3000)),
)
_size: Final = st.sampled_from(
    [
        *[b"%x"] * 12,
        b"0%x",
        b"%X",
        b"0x%x",
        b"+%x",
        b" %x",
        b"%x ",
        b"%x\x00",
        b"1000000000000000%x",
        b"-%x",
        b"g%x",
    ]
)
_extension: Final = _mostly(b"", b";a", b";a=b", b';a="b"', b" ;a", b";", b";a\n", b';a="\r\n"', b";a\x00")


def _joined(*parts: _Octets) -> _Octets:
    return st.tuples(*parts).map(b"".join)


_chunk: Final = st.builds(
    lambda data, size, extension, end, after: size % len(data) + extension + end + data + after,
    st.sampled_from([b"abc", SMUGGLED, b"0\r\n\r\n", b"\r\n"]),
    _size,
    _extension,
    _line_end,
    _line_end,
)
_trailer: Final = st.builds(
    lambda name, colon, end: name + colon + b"evil" + end,
    st.sampled_from([*NAMES, b"Content-Length", b"Transfer-Encoding", b"Host"]),
    _colon,
    _line_end,
)
_chunks: Final = st.builds(
    lambda chunks, last, trailers, end: b"".join(chunks) + last + b"".join(trailers) + end,
    st.lists(_chunk, max_size=3),
    _mostly(b"0\r\n", b"00\r\n", b"0;a\r\n", b"0\n", b"-0\r\n", b"", b"\r\n"),
    st.lists(_trailer, max_size=2),
    _mostly(b"\r\n", b"\n", b"", b"\r\n\r\n"),
)
_field: Final = st.builds(lambda named, colon: named[0] + colon + named[1], _other, _colon)
_any_field: Final = st.one_of(
    _field,
    _field,
    _field,
    st.builds(lambda colon, value: b"Content-Length" + colon + value, _colon, _length),
    st.builds(lambda colon, value: b"Transfer-Encoding" + colon + value, _colon, _coding),
)


def _framed(body: bytes) -> bytes:
    return b"Content-Length: %d" % len(body)


_framing: Final = st.one_of(
    st.sampled_from(_BODIES).map(lambda body: (_framed(body), body)),
    st.sampled_from(_BODIES).map(lambda body: (_framed(body), body)),
    _chunks.map(lambda body: (b"Transfer-Encoding: chunked", body)),
    _chunks.map(lambda body: (b"Transfer-Encoding: chunked", body)),
    st.tuples(st.one_of(_length.map(lambda value: b"Content-Length: " + value)), st.sampled_from(_BODIES)),
    st.tuples(_coding.map(lambda value: b"Transfer-Encoding: " + value), _chunks),
    st.just((b"", b"")),
)


def _put_together(
    line: bytes,
    fields: list[bytes],
    framing: tuple[bytes, bytes],
    place: int,
    ends: list[bytes],
    has_host: bool,
) -> bytes:
    lines = [line, *([b"Host: x"] if has_host else []), *fields]
    if framing[0]:
        lines.insert(1 + place % len(lines), framing[0])
    padded = [*ends, *[b"\r\n"] * len(lines)]
    return b"".join(each + end for each, end in zip(lines, padded, strict=False)) + b"\r\n" + framing[1]


_message: Final = st.builds(
    _put_together,
    _joined(_method, _space, _target, _space, _version),
    st.lists(_any_field, max_size=3),
    _framing,
    st.integers(0, 5),
    st.lists(_line_end, max_size=4),
    st.sampled_from([*[True] * 20, False]),
)
_known: Final = st.sampled_from([stream.octets for stream in STREAMS if len(stream.octets) < 2000])
_edits: Final = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.integers(0, 3),
        st.sampled_from(
            [
                b"",
                b"\r",
                b"\n",
                b"\r\n",
                b" ",
                b"\t",
                b"\x00",
                b":",
                b"0",
                b",",
                b"\x0b",
                b"\xff",
                b"\r\n\r\n",
            ]
        ),
    ),
    max_size=2,
)


def _edit(octets: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    for at, gone, new in edits:
        place = int(at * len(octets))
        octets = octets[:place] + new + octets[place + gone :]
    return octets


streams: Final = st.builds(
    _edit,
    st.lists(_message | _message | _known, min_size=1, max_size=4).map(b"".join),
    st.just([]) | st.just([]) | st.just([]) | _edits,
)
"""Without the final request that shows where the others ended."""
