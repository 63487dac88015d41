"""A node's HTTP server with an echo behind it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route as StarletteRoute

from keyturn_shared.http_server.connections import ConnectionLimits, ConnectionTable
from keyturn_shared.http_server.server import HttpServer
from keyturn_shared.http_server.serving import listen
from keyturn_shared.oauth.metrics import AnswerMetrics
from keyturn_shared.oauth.web.messages import Reply, Request
from keyturn_verifier.web.application import Route, VerifierApplication
from keyturn_verifier.web.protocol import HttpProtocol
from tests.testkit.waiting import in_time

LIMIT = 60


class PatientProtocol(HttpProtocol):
    """Its times outlast a machine that stands still."""

    request_seconds = idle_seconds = 120.0
    table = ConnectionTable(ConnectionLimits(total=LIMIT))


class HastyProtocol(HttpProtocol):
    """Its times are short enough to wait for."""

    request_seconds = 0.5


@dataclass
class Served:
    """A running server, and the requests of its one endpoint."""

    listening: socket.socket
    requests: list[Request]
    release: asyncio.Event
    server: HttpServer

    @property
    def port(self) -> int:
        return int(self.listening.getsockname()[1])

    async def exchange(self, *pieces: bytes) -> bytes:
        """Return everything it answers to these pieces, after which nothing comes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.005)
        writer.write_eof()
        answer = await in_time(reader.read())
        writer.close()
        return answer


@contextlib.asynccontextmanager
async def serving(protocol: type[HttpProtocol]) -> AsyncIterator[Served]:
    requests: list[Request] = []
    release = asyncio.Event()
    release.set()

    async def echo(request: Request) -> Reply:
        requests.append(request)
        await release.wait()
        if request.query == b"fail":
            raise RuntimeError("a bug")
        return Reply(200, request.body, [(b"content-type", b"text/plain")])

    def at_once(request: Request) -> Reply:
        requests.append(request)
        return Reply(200, request.body)

    async def live(_: Any) -> PlainTextResponse:
        return PlainTextResponse("live")

    application = VerifierApplication(
        {
            "echo": Route(echo, ("POST", "GET", "HEAD"), 1000),
            "known": Route(echo, ("POST",), 1000, 100),
            "all/": Route(echo, None, 0),
            "at-once": Route(echo, ("POST",), 1000, at_once=at_once),
        },
        Starlette(routes=[StarletteRoute("/health/live", live)]),
        AnswerMetrics(CollectorRegistry()),
    )
    server = HttpServer(application, protocol, drain_seconds=60.0)
    with listen("127.0.0.1", 0) as listening:
        task = asyncio.create_task(server.serve(listening))
        yield Served(listening, requests, release, server)
        server.stop()
        await in_time(task)


AT_ONCE = b"/realms/a/at-once"
"""Path of an endpoint that answers without waiting."""


def post(body: bytes, *headers: bytes, path: bytes = b"/realms/a/echo", length: int | None = None) -> bytes:
    lines = [b"POST " + path + b" HTTP/1.1", b"Host: x", b"Content-Length: %d" % (length or len(body))]
    return b"\r\n".join([*lines, *headers, b"", body])


async def read_to_end(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:
        return b""
