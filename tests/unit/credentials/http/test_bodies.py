"""A request's body is limited in length and in time."""

import asyncio
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Scope

from keyturn_credentials.http.bodies import BodyLimit, octets_of, read_form, text_of
from keyturn_credentials.http.problems import on_http_exception


async def _length(request: Request) -> Response:
    return Response(str(len(await request.body())))


def _app(*, limit: int = 10, seconds: float) -> Starlette:
    return Starlette(
        routes=[Route("/", _length, methods=["POST"])],
        middleware=[Middleware(BodyLimit, limit=limit, seconds=seconds)],
        exception_handlers={HTTPException: on_http_exception},
    )


async def _answer(app: Starlette, messages: Iterator[Message]) -> tuple[int, bytes]:
    """Return the answer to a body that comes in these messages; nothing comes after the last one."""
    scope: Scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": []}
    sent: list[Message] = []

    async def receive() -> Message:
        message = next(messages, None)
        return await asyncio.Future() if message is None else message

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


def _part(body: bytes, *, more: bool) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_body_in_parts_is_read_whole() -> None:
    parts = iter([_part(b"12345", more=True), _part(b"67890", more=False)])
    assert await _answer(_app(seconds=30.0), parts) == (200, b"10")


@pytest.mark.parametrize(
    ("parts", "seconds", "status"),
    [
        ([_part(b"12345", more=True), _part(b"678901", more=False)], 30.0, 413),
        ([_part(b"12345", more=True)], 0.0, 408),
        ([], 0.0, 408),
    ],
)
async def test_one_that_is_too_long_or_does_not_end_is_refused(
    parts: list[Message], seconds: float, status: int
) -> None:
    assert (await _answer(_app(seconds=seconds), iter(parts)))[0] == status


@pytest.mark.parametrize("content", [b"plain", "gehéim".encode(), b"geh\xe9im", bytes(range(256))])
async def test_a_field_of_a_form_keeps_its_octets(content: bytes) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + content + b"\r\n--b--\r\n"

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    headers = [(b"content-type", b"multipart/form-data; boundary=b")]
    form = await read_form(Request({"type": "http", "method": "POST", "headers": headers}, receive))
    field = form["file"]
    assert isinstance(field, str)
    assert octets_of(field) == content
    assert text_of(field) in (content.decode(errors="replace"), content.decode("latin-1"))


def test_text_that_is_not_utf_8_is_read_as_latin_1() -> None:
    assert [text_of("geh\xc3\xa9im"), text_of("geh\xe9im")] == ["gehéim", "gehéim"]
