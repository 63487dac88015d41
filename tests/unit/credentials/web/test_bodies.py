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

from keyturn_credentials.web.bodies import BodyLimit
from keyturn_credentials.web.problems import on_http_exception


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
