"""Servers of keyturn's processes with the echo behind, which shows their readings."""

import ssl
from asyncio import create_task
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from prometheus_client import CollectorRegistry

from keyturn_shared.http_server.accepted_sockets import Tls
from keyturn_shared.http_server.asgi_connection import AsgiConnection
from keyturn_shared.http_server.connections import ConnectionLimits, ConnectionTable
from keyturn_shared.http_server.server import HttpServer
from keyturn_shared.http_server.serving import configured, listen
from keyturn_shared.oauth.metrics import AnswerMetrics
from keyturn_shared.oauth.web.messages import Reply, Request
from keyturn_verifier.web.application import Route, VerifierApplication
from keyturn_verifier.web.protocol import HttpProtocol
from tests.testkit.http_reading.echo import FIELD, application, described, shortened
from tests.testkit.http_reading.stream import Message
from tests.testkit.tls import ServerTls

KINDS: Final = ("node", "node with TLS", "credentials", "credentials with TLS")
_BODY_LIMIT: Final = 2**20
_SECONDS: Final = 30.0


class EchoApplication(VerifierApplication):
    """Every path is the echo."""

    def __init__(self) -> None:
        super().__init__({}, application, AnswerMetrics(CollectorRegistry()))
        self._echo = Route(_tell, None, _BODY_LIMIT)

    def find(self, path: str) -> tuple[str, Route]:
        return "", self._echo


async def _tell(request: Request) -> Reply:
    target = request.path.encode("latin-1", "replace")
    target += b"?" + request.query if request.query else b""
    names = frozenset(name.lower() for name, _ in request.headers)
    message = Message(request.method.encode(), target, shortened(request.body))
    return Reply(200, b"OK", [(FIELD, described(message, names))])


@dataclass(frozen=True)
class Listening:
    """A server's address, and the authority that its callers trust."""

    port: int
    tls: ssl.SSLContext | None


@asynccontextmanager
async def serving(kind: str, tls: ServerTls) -> AsyncIterator[Listening]:
    """Run a server like a process of this kind."""
    table = ConnectionTable(ConnectionLimits())
    app: Any = EchoApplication() if kind.startswith("node") else application
    connection: Any = (
        configured(HttpProtocol, table=table, request_seconds=_SECONDS)
        if kind.startswith("node")
        else configured(AsgiConnection, table=table, head_seconds=_SECONDS, body_seconds=_SECONDS)
    )
    with listen("127.0.0.1", 0) as listening:
        own, trust = None, None
        if kind.endswith("TLS"):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.certificate, tls.key)
            trust = ssl.create_default_context(cafile=str(tls.authority))
            own = Tls(context, _SECONDS)
        server = HttpServer(app, connection, drain_seconds=1, tls=own)
        task = create_task(server.serve(listening))
        try:
            yield Listening(listening.getsockname()[1], trust)
        finally:
            server.stop()
            await task
