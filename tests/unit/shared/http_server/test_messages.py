"""A connection's octets become the same messages however they are cut, or are refused."""

import re
import time

import pytest

from keyturn_shared.http_server import messages
from keyturn_shared.http_server.heads import CHUNKED, MAX_FIELDS, MAX_HEAD_BYTES
from keyturn_shared.http_server.messages import MessageReader
from keyturn_shared.http_server.refusal import HttpRefusalError

HOST = b"Host: a\r\n"


def get(*lines: bytes, line: bytes = b"GET / HTTP/1.1", host: bytes = HOST) -> bytes:
    return line + b"\r\n" + host + b"".join(each + b"\r\n" for each in lines) + b"\r\n"


def chunked(body: bytes) -> bytes:
    return get(b"Transfer-Encoding: chunked", line=b"POST / HTTP/1.1") + body


def unchunked(passed: bytes) -> bytes:
    """Return the body without the sizes of chunks, which depend on the cuts."""
    return re.sub(rb"(?<=\n)[0-9a-f]+\r\n([a-z]+)\r\n", rb"\1", passed)


def read(data: bytes, size: int) -> tuple[bytes, int, int | None]:
    """Return a parser's input, the number of complete messages, and the status of a refusal; ``data`` comes
    in pieces."""
    reader, passed = MessageReader(), b""
    try:
        for at in range(0, len(data), size):
            for piece in reader.feed(data[at : at + size]):
                passed += piece
    except HttpRefusalError as refusal:
        return passed, reader.completed, refusal.status
    return unchunked(passed), reader.completed, None


SERVED = {
    "a plain request": (get(), None),
    "HTTP/1.0 without Host": (get(line=b"GET / HTTP/1.0", host=b""), None),
    "a body": (get(b"Content-Length: 3") + b"abc", None),
    "Content-Length of nothing": (get(b"Content-Length: 0"), None),
    "chunks": (chunked(b"3\r\nabc\r\n0\r\n\r\n"), None),
    "no space and much space around a value": (get(b"A:b", b"C: \t d \t"), None),
    "an empty line before the request line": (b"\r\n" + get(), get()),
    "IPv6 and a port in Host": (get(host=b"Host: [::1]:8080\r\n"), None),
    "an offer of another protocol": (
        get(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"Content-Length: 3") + b"abc",
        get(b"Connection: Upgrade, HTTP2-Settings", b"Content-Length: 3") + b"abc",
    ),
    "an absolute target": (
        get(line=b"GET http://b:80/c?d HTTP/1.1"),
        get(line=b"GET /c?d HTTP/1.1", host=b"Host: b:80\r\n"),
    ),
    "an absolute target without a path": (
        get(line=b"GET HTTPS://b?d HTTP/1.1"),
        get(line=b"GET /?d HTTP/1.1", host=b"Host: b\r\n"),
    ),
    "OPTIONS of everything": (get(line=b"OPTIONS * HTTP/1.1"), None),
    "trailers": (chunked(b"1\r\na\r\n0\r\nClient-Cert: x\r\nA: b\r\n\r\n"), chunked(b"1\r\na\r\n0\r\n\r\n")),
    "chunk extensions": (chunked(b'001;a=b ; c="\\"d"\r\na\r\n0;e\r\n\r\n'), chunked(b"1\r\na\r\n0\r\n\r\n")),
    "octets of no character in a value": (get(b"A: \xff\x80"), None),
}


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 100_000])
@pytest.mark.parametrize("name", SERVED)
def test_it_is_one_message_and_the_parser_gets_its_plainest_form(name: str, size: int) -> None:
    sent, expected = SERVED[name]
    expected = sent if expected is None else expected
    assert read(sent, size) == (unchunked(expected), 1, None)
    is_last = b"HTTP/1.0" in sent
    both = (unchunked(expected) + (b"" if is_last else get(b"B: c")), 1 if is_last else 2, None)
    assert read(sent + get(b"B: c"), size) == both


REFUSED = {
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/0.9, one line": b"GET /\r\n",
    "HTTP/1.2": get(line=b"GET / HTTP/1.2"),
    "HTTP/2.0": get(line=b"GET / HTTP/2.0"),
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a version in small letters": get(line=b"GET / http/1.1"),
    "two spaces in the request line": get(line=b"GET  / HTTP/1.1"),
    "a tab in the request line": get(line=b"GET\t/ HTTP/1.1"),
    "a space in the target": get(line=b"GET /a b HTTP/1.1"),
    "octets of no character in the target": get(line=b"GET /\xc3\xa4 HTTP/1.1"),
    "a space after the version": get(line=b"GET / HTTP/1.1 "),
    "a fragment": get(line=b"GET /#a HTTP/1.1"),
    "a relative target": get(line=b"GET a HTTP/1.1"),
    "an asterisk with GET": get(line=b"GET * HTTP/1.1"),
    "another scheme": get(line=b"GET ftp://a/ HTTP/1.1"),
    "a target with user information": get(line=b"GET http://u@a/ HTTP/1.1"),
    "a target without an authority": get(line=b"GET http:///a HTTP/1.1"),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "no Host": get(host=b""),
    "two Hosts": get(b"Host: a"),
    "two Hosts in HTTP/1.0": get(b"Host: a", line=b"GET / HTTP/1.0"),
    "an empty Host": get(host=b"Host:\r\n"),
    "two names in a Host": get(host=b"Host: a, b\r\n"),
    "a path in Host": get(host=b"Host: a/b\r\n"),
    "user information in Host": get(host=b"Host: u@a\r\n"),
    "no port in Host": get(host=b"Host: a:b\r\n"),
    "a space before the colon": get(b"A : b"),
    "a space before the name": get(b" A: b"),
    "a folded line": get(b"A: b", b" c"),
    "a line without a colon": get(b"A"),
    "no name": get(b": b"),
    "a control character in a name": get(b"A\x01: b"),
    "an octet of no character in a name": get(b"A\xe4: b"),
    "NUL in a value": get(b"A: b\x00c"),
    "DEL in a value": get(b"A: \x7f"),
    "CR alone": get(b"A: b\rContent-Length: 3"),
    "LF alone": get(b"A: b\nContent-Length: 3"),
    "LF alone at the end": b"GET / HTTP/1.1\nHost: a\n\n",
    "two empty lines before the request line": b"\r\n\r\n" + get(),
    "two lengths": get(b"Content-Length: 1", b"Content-Length: 2") + b"ab",
    "the same length twice": get(b"Content-Length: 1", b"Content-Length: 1") + b"a",
    "a list of lengths": get(b"Content-Length: 1, 1") + b"a",
    "a length with a sign": get(b"Content-Length: +1") + b"a",
    "a negative length": get(b"Content-Length: -1"),
    "a hexadecimal length": get(b"Content-Length: 0x1") + b"a",
    "an empty length": get(b"Content-Length:"),
    "a length beyond any": get(b"Content-Length: 9999999999999999"),
    "length and coding": get(b"Content-Length: 3", b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "coding and length": get(b"Transfer-Encoding: chunked", b"Content-Length: 3") + b"0\r\n\r\n",
    "two codings": get(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "a list of codings": get(b"Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n",
    "chunked twice": get(b"Transfer-Encoding: chunked, chunked") + b"0\r\n\r\n",
    "chunked, not last": get(b"Transfer-Encoding: chunked, identity") + b"0\r\n\r\n",
    "another coding": get(b"Transfer-Encoding: identity"),
    "a coding with a vertical tab": get(b"Transfer-Encoding: \x0bchunked") + b"0\r\n\r\n",
    "chunked in quotes": get(b'Transfer-Encoding: "chunked"') + b"0\r\n\r\n",
    "an empty coding": get(b"Transfer-Encoding:"),
    "a coding in HTTP/1.0": get(b"Transfer-Encoding: chunked", line=b"POST / HTTP/1.0") + b"0\r\n\r\n",
    "the size of a chunk with a sign": chunked(b"+1\r\na\r\n0\r\n\r\n"),
    "the size of a chunk with 0x": chunked(b"0x1\r\na\r\n0\r\n\r\n"),
    "the size of a chunk with a space before it": chunked(b" 1\r\na\r\n0\r\n\r\n"),
    "the size of a chunk with a space after it": chunked(b"1 \r\na\r\n0\r\n\r\n"),
    "no size of a chunk": chunked(b"\r\na\r\n0\r\n\r\n"),
    "a size that overflows": chunked(b"10000000000000001\r\na\r\n0\r\n\r\n"),
    "LF alone after a size": chunked(b"1\na\r\n0\r\n\r\n"),
    "LF alone after a chunk": chunked(b"1\r\na\n0\r\n\r\n"),
    "CR alone in an extension": chunked(b"1;a\rb\r\na\r\n0\r\n\r\n"),
    "LF in a quoted extension": chunked(b'1;a="\n"\r\na\r\n0\r\n\r\n'),
    "a chunk longer than its size": chunked(b"1\r\nabc\r\n0\r\n\r\n"),
    "a long line with a size": chunked(b"1;" + b"a" * 1000 + b"\r\na\r\n0\r\n\r\n"),
    "many extensions": chunked((b"1;" + b"a" * 200 + b"\r\na\r\n") * 40 + b"0\r\n\r\n"),
    "many small chunks": chunked(b"1\r\na\r\n" * 5000 + b"0\r\n\r\n"),
    "a folded trailer": chunked(b"0\r\nA: b\r\n c\r\n\r\n"),
    "a trailer without a colon": chunked(b"0\r\nGET / HTTP/1.1\r\n\r\n"),
    "LF alone after a trailer": chunked(b"0\r\nA: b\n\r\n"),
    "many trailers": chunked(b"0\r\n" + b"A: b\r\n" * 100 + b"\r\n"),
    "long trailers": chunked(b"0\r\n" + b"A: " + b"b" * 10_000 + b"\r\n\r\n"),
}


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 100_000])
@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_however_it_is_cut(name: str, size: int) -> None:
    _, completed, status = read(REFUSED[name] + get(), size)
    assert (completed, status) == (0, 400)


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("target", [b"a:443", b"/a", b"http://a/"])
def test_a_tunnel_is_refused(size: int, target: bytes) -> None:
    assert read(get(line=b"CONNECT " + target + b" HTTP/1.1"), size)[1:] == (0, 405)


@pytest.mark.parametrize("size", [1, 1000, 100_000])
@pytest.mark.parametrize("head", [b"GET / HTTP/1.1\r\nA: ", b"GET /", b"A" * 10])
def test_a_head_that_is_too_large_is_refused_before_its_end(size: int, head: bytes) -> None:
    assert read(head + b"a" * MAX_HEAD_BYTES, size)[1:] == (0, 431)


@pytest.mark.parametrize("size", [1, 100_000])
def test_too_many_fields_are_refused(size: int) -> None:
    assert read(get(*[b"A: b"] * (MAX_FIELDS - 1)), size)[1:] == (1, None)
    assert read(get(*[b"A: b"] * MAX_FIELDS), size)[1:] == (0, 431)


@pytest.mark.parametrize("size", [1000, 100_000])
def test_chunks_of_a_usual_size_may_be_many(size: int) -> None:
    chunk = b"%x\r\n%b\r\n" % (100, b"a" * 100)
    assert read(chunked(chunk * 6000 + b"0\r\n\r\n"), size)[1:] == (1, None)


@pytest.mark.parametrize("last", [b"Connection: close", b"Connection: a , CLOSE"])
@pytest.mark.parametrize("size", [1, 100_000])
def test_what_follows_a_last_message_is_passed_over(last: bytes, size: int) -> None:
    assert read(get(last) + get() + b"\x00", size) == (get(last), 1, None)
    once = get(line=b"GET / HTTP/1.0")
    assert read(once + get(), size) == (once, 1, None)
    kept = get(b"Connection: keep-alive", line=b"GET / HTTP/1.0")
    assert read(kept + get(), size) == (kept + get(), 2, None)


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize("before", [b"", b"3\r\nabc\r\n"])
@pytest.mark.parametrize("bad", [b"x\r\n", b"3\r\nabcd\r\n", b"3\r\nab\r\n0\r\n\r\n", b"2\r\nab\n"])
def test_the_parser_behind_is_never_left_within_a_chunk(bad: bytes, before: bytes, size: int) -> None:
    """A refusal is signalled by octets that the parser refuses: they must not end up in a chunk."""
    reader, sent = MessageReader(), before + bad
    list(reader.feed(chunked(b"")))
    with pytest.raises(HttpRefusalError):
        for at in range(0, len(sent), size):
            for piece in reader.feed(sent[at : at + size]):
                length, _, rest = piece.partition(b"\r\n")
                assert len(rest) == int(length, 16) + 2
                assert rest.endswith(b"\r\n")


def test_a_field_for_proxies_is_taken_out() -> None:
    passed, *_ = read(get(b"Proxy-Connection: close", b"A: b"), 1000)
    assert b"Proxy-Connection" not in passed


def test_the_reader_tells_what_it_is_at() -> None:
    reader = MessageReader()
    states = []
    for piece in (b"GE", b"T / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n", b"a", b"b"):
        list(reader.feed(piece))
        states.append((reader.is_receiving, reader.in_body, reader.length, reader.completed))
    assert states == [(True, False, 0, 0), (True, True, 2, 0), (True, True, 2, 0), (False, False, 2, 1)]
    list(reader.feed(chunked(b"")))
    assert (reader.in_body, reader.length) == (True, CHUNKED)


def test_a_head_in_single_octets_takes_time_in_proportion_to_its_length() -> None:
    """Each octet is scanned a few times, not once for each that follows it."""

    def spent(count: int) -> float:
        reader = MessageReader()
        list(reader.feed(b"GET / HTTP/1.1\r\nA: "))
        begun = time.thread_time()
        for _ in range(count):
            list(reader.feed(b"a"))
        return time.thread_time() - begun

    few = min(spent(3_000) for _ in range(3))
    assert min(spent(30_000) for _ in range(3)) < 40 * few


def test_a_head_with_a_credential_is_not_kept_and_others_are_read_as_before() -> None:
    messages._check_cached.cache_clear()
    for field in (b"Authorization: Basic eA==", b"COOKIE: a=b", b"DPoP: a.b.c", b"Client-Cert: :eA==:"):
        assert read(get(field), 1000) == read(get(field), 1) == (get(field), 1, None)
    assert messages._check_cached.cache_info().currsize == 0
    for _ in range(2):
        assert read(get(b"User-Agent: a"), 1000) == (get(b"User-Agent: a"), 1, None)
        assert read(get(b"Host: b"), 1000)[2] == 400
    assert messages._check_cached.cache_info().currsize == 1, "a refusal is made anew"
