"""An ASGI application on a real socket of this process, for libraries with their own HTTP client."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from keyturn_shared.http_server.accepted_sockets import Tls
from keyturn_shared.http_server.asgi_connection import AsgiConnection
from keyturn_shared.http_server.server import HttpServer, MakesConnections
from tests.testkit.tls import ServerTls


@asynccontextmanager
async def served(
    app: Any,
    connection: MakesConnections = AsgiConnection,
    *,
    listening: socket.socket | None = None,
    tls: ServerTls | None = None,
) -> AsyncIterator[str]:
    """Yield the application's base URL; the caller runs its lifespan. ``listening``: a socket of the caller,
    to know the port beforehand. ``connection``: the class of its connections."""
    with listening or listen() as sock:
        # A library that keeps its connections does not answer TLS's close.
        server = HttpServer(app, connection, drain_seconds=1, tls=None if tls is None else _tls(tls))
        task = asyncio.create_task(server.serve(sock))
        try:
            yield url_of(sock, tls=tls is not None)
        finally:
            server.stop()
            await task


def _tls(files: ServerTls) -> Tls:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    return Tls(context)


def listen() -> socket.socket:
    """Open a listening socket on a free loopback port."""
    return socket.create_server(("127.0.0.1", 0))


def url_of(listening: socket.socket, *, tls: bool = False) -> str:
    return f"http{'s' * tls}://127.0.0.1:{listening.getsockname()[1]}"
