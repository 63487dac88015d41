"""An ASGI application on a real socket of this process, for libraries that bring their own HTTP client."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from tests.support.tls import ServerTls


@asynccontextmanager
async def served(
    app: Any, *, listening: socket.socket | None = None, tls: ServerTls | None = None, http: Any = "auto"
) -> AsyncIterator[str]:
    """The base URL at which the application answers; its lifespan is the caller's.

    ``listening``: a socket the caller has made, to know the port beforehand. ``http``: as uvicorn takes it.
    """
    with listening or listen() as sock:
        files = {} if tls is None else {"ssl_certfile": str(tls.certificate), "ssl_keyfile": str(tls.key)}
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                # A library that keeps its connections does not answer the closing of TLS.
                timeout_graceful_shutdown=1,
                http=http,
                **files,
            )
        )
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
        task = asyncio.create_task(server.serve(sockets=[sock]))
        try:
            yield url_of(sock, tls=tls is not None)
        finally:
            server.should_exit = True
            await task


def listen() -> socket.socket:
    """A listening socket on a free port of the loopback."""
    return socket.create_server(("127.0.0.1", 0))


def url_of(listening: socket.socket, *, tls: bool = False) -> str:
    return f"http{'s' * tls}://127.0.0.1:{listening.getsockname()[1]}"
