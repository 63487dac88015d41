"""Requests of one connection: a head that comes again means what it meant before."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from keyturn_shared.http_server.refusal import HttpRefusalError
from keyturn_shared.oauth.metrics import AnswerMetrics
from keyturn_shared.oauth.web.messages import Reply, Request
from keyturn_verifier.web import request_parser
from keyturn_verifier.web.application import Route, VerifierApplication
from keyturn_verifier.web.request_parser import RequestParser

Seen = tuple[str, str, str, bytes, list[tuple[bytes, bytes]], bytes, bool]


async def _nothing(_: Request) -> Reply:
    return Reply(204)


def parser() -> RequestParser:
    routes = {"a": Route(_nothing, None, 100), "b": Route(_nothing, ("POST",), 100)}
    application = VerifierApplication(routes, Starlette(), AnswerMetrics(CollectorRegistry()))
    return RequestParser(application, "192.0.2.1", None)


def message(path: str = "a", body: str = "", fields: str = "", *, version: str = "1.1") -> bytes:
    head = f"POST /realms/acme/{path}?x=1 HTTP/{version}\r\nHost: x\r\n{fields}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def chunked(body: str) -> bytes:
    head = "POST /realms/acme/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    return f"{head}{len(body):x}\r\n{body}\r\n0\r\n\r\n".encode()


def seen(requests: RequestParser, data: bytes) -> list[Seen]:
    return [
        (
            each.request.method,
            each.request.path,
            each.request.realm,
            each.request.query,
            each.request.headers,
            each.request.body,
            each.keep_alive,
        )
        for each in requests.feed(data)
    ]


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Heads that were parsed."""
    heads: list[bytes] = []
    sound = RequestParser.on_headers_complete

    def noted(self: RequestParser) -> None:
        heads.append(self._url)
        sound(self)

    monkeypatch.setattr(RequestParser, "on_headers_complete", noted)
    return heads


def test_a_head_that_comes_again_is_parsed_once_and_has_its_own_body(parsed: list[bytes]) -> None:
    requests = parser()
    [first] = seen(requests, message(body="token=1"))
    [second] = seen(requests, message(body="token=2"))
    assert first[:5] == second[:5]
    assert (first[5], second[5]) == (b"token=1", b"token=2")
    assert len(parsed) == 1


@pytest.mark.parametrize(
    "other",
    [
        message("b", "token=1"),
        message(body="token=12"),
        message(body="token=1", fields="Authorization: Basic x\r\n"),
        message(body="token=1").replace(b"POST", b"PUT "),
        message(body="token=1").replace(b"Host", b"host"),
    ],
)
def test_another_head_is_parsed(parsed: list[bytes], other: bytes) -> None:
    requests = parser()
    [first] = seen(requests, message(body="token=1"))
    if b"PUT " in other:
        with pytest.raises(HttpRefusalError):
            seen(requests, other)
        return
    [second] = seen(requests, other)
    assert len(parsed) == 2
    assert second == seen(parser(), other)[0]
    assert seen(requests, message(body="token=1")) == [first]


def test_what_follows_in_the_same_octets_is_parsed(parsed: list[bytes]) -> None:
    requests = parser()
    one = message(body="token=1")
    [first] = seen(requests, one)
    assert seen(requests, one + one) == [first, first]
    assert seen(requests, one) == [first]
    assert len(parsed) == 3, "only the two that came together were parsed"


def test_a_head_within_a_body_is_body(parsed: list[bytes]) -> None:
    requests = parser()
    one = message(body="token=1")
    seen(requests, one)
    outer = message("b", one.decode())
    at = outer.index(one)
    assert seen(requests, outer[:at]) == []
    [smuggled] = seen(requests, outer[at:])
    assert (smuggled[1], smuggled[5]) == ("/realms/acme/b", one)


def test_nothing_follows_the_last_request() -> None:
    requests = parser()
    last = message(body="token=1", fields="Connection: close\r\n")
    assert len(seen(requests, last)) == 1
    assert seen(requests, last) == []
    assert seen(requests, message(body="token=1")) == []


@pytest.mark.parametrize(
    "kind", [chunked("token=1"), message(body="token=1", fields="Expect: 100-continue\r\n")]
)
def test_a_body_that_is_chunked_or_withheld_is_parsed_every_time(parsed: list[bytes], kind: bytes) -> None:
    requests = parser()
    assert seen(requests, kind) == seen(requests, kind)
    assert len(parsed) == 2


def test_a_long_head_is_parsed_every_time(parsed: list[bytes]) -> None:
    requests = parser()
    long = message(fields=f"X: {'x' * request_parser._MAX_REPEATED_BYTES}\r\n")
    assert seen(requests, long) == seen(requests, long)
    assert len(parsed) == 2


def test_no_body_is_remembered() -> None:
    requests = parser()
    seen(requests, message(body="secret"))
    assert requests._before is not None
    assert requests._before.asked.request.body == b""
    requests.close()
    assert requests._before is None


_MESSAGES = st.sampled_from(
    [
        message(),
        message(body="token=1"),
        message(body="token=2"),
        message("b", "token=1"),
        message("missing", "token=1"),
        message(body="token=1", fields="Authorization: Basic x\r\n"),
        message(body="token=1", version="1.0", fields="Connection: keep-alive\r\n"),
        b"\r\n" + message(body="token=1"),
        chunked("token=1"),
    ]
)


@given(st.data())
def test_it_reads_what_a_parser_without_memory_reads(data: Any) -> None:
    """However the octets are divided."""
    messages = data.draw(st.lists(_MESSAGES, max_size=12))
    octets = b"".join(messages)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=6)))
    ends = [0, *cuts, *_ends_of(messages)] if data.draw(st.booleans()) else [0, *cuts, len(octets)]
    points = sorted(set(ends))
    pieces = [octets[start:end] for start, end in itertools.pairwise(points)]
    requests, forgetful = parser(), parser()
    for piece in pieces:
        forgetful._before = None
        assert seen(requests, piece) == seen(forgetful, piece)


def _ends_of(messages: list[bytes]) -> list[int]:
    ends, at = [], 0
    for each in messages:
        at += len(each)
        ends.append(at)
    return ends
