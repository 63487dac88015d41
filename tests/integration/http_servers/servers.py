"""The servers of keyturn's processes around applications that only record their requests."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry

from keyturn_shared.http_server.accepted_sockets import Tls
from keyturn_shared.http_server.asgi_connection import AsgiConnection
from keyturn_shared.http_server.connections import ConnectionLimits, ConnectionTable
from keyturn_shared.http_server.server import HttpServer, MakesConnections
from keyturn_shared.http_server.serving import configured, listen
from keyturn_shared.oauth.metrics import AnswerMetrics
from keyturn_shared.oauth.web.messages import Reply, Request
from keyturn_verifier.web.application import Route, VerifierApplication
from keyturn_verifier.web.protocol import HttpProtocol
from tests.testkit.tls import ServerTls

PATH = b"/realms/a/echo"
KINDS = ("node", "node with TLS", "ASGI", "ASGI with TLS")
BODY_LIMIT = 1_000_000


@dataclass(frozen=True)
class Seen:
    """A request as seen by the application."""

    method: str
    headers: list[tuple[bytes, bytes]]
    body: bytes


@dataclass
class Server:
    """A running server. ``hold`` delays answers while it is not set."""

    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    table: ConnectionTable = field(default_factory=lambda: ConnectionTable(ConnectionLimits()))
    trust: ssl.SSLContext | None = None

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        name = None if self.trust is None else "127.0.0.1"
        return await asyncio.open_connection("127.0.0.1", self.port, ssl=self.trust, server_hostname=name)

    async def exchange(self, *pieces: bytes) -> bytes:
        """Return everything it answers until it closes. The last piece must make it close."""
        reader, writer = await self.connect()
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
        answer = await read_to_end(reader)
        writer.close()
        return answer


async def read_to_end(reader: asyncio.StreamReader, seconds: float = 60.0) -> bytes:
    answer = b""
    async with asyncio.timeout(seconds):
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while received := await reader.read(65536):
                answer += received
    return answer


def _node(server: Server) -> VerifierApplication:
    async def echo(request: Request) -> Reply:
        server.seen.append(Seen(request.method, request.headers, request.body))
        await server.hold.wait()
        return Reply(200, request.body)

    route = Route(echo, None, BODY_LIMIT)
    return VerifierApplication({"echo": route}, _asgi(server), AnswerMetrics(CollectorRegistry()))


def _asgi(server: Server) -> Any:
    async def echo(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message["body"]
            more = message.get("more_body", False)
        server.seen.append(Seen(scope["method"], list(scope["headers"]), body))
        await server.hold.wait()
        length = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": body})

    return echo


@asynccontextmanager
async def serving(
    kind: str,
    tls: ServerTls,
    *,
    limits: ConnectionLimits | None = None,
    seconds: float = 30.0,
    idle: int = 30,
) -> AsyncIterator[Server]:
    """``seconds``: for heads, bodies, answers and handshakes. ``idle``: for doing nothing."""
    server = Server(table=ConnectionTable(limits or ConnectionLimits()))
    server.hold.set()
    connection: MakesConnections
    if kind.startswith("node"):
        app: Any = _node(server)
        connection = configured(HttpProtocol, table=server.table, request_seconds=seconds, idle_seconds=idle)
    else:
        app = _asgi(server)
        connection = configured(
            AsgiConnection,
            table=server.table,
            head_seconds=seconds,
            body_seconds=seconds,
            idle_seconds=idle,
        )
    with listen("127.0.0.1", 0) as listening:
        server.port = listening.getsockname()[1]
        own = None
        if kind.endswith("TLS"):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.certificate, tls.key)
            server.trust = ssl.create_default_context(cafile=str(tls.authority))
            own = Tls(context, seconds)
        running = HttpServer(app, connection, drain_seconds=1, tls=own)
        task = asyncio.create_task(running.serve(listening))
        try:
            yield server
        finally:
            running.stop()
            server.hold.set()
            await task
