"""Real HTTP servers on loopback ports, for the gateway to stand in front of."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from keyturn.stack.ports import listen

Handler = Callable[[Request], Awaitable[Response]]


@contextlib.asynccontextmanager
async def serve(app: ASGIApp) -> AsyncIterator[str]:
    """Serve an application on a free port; gives its base URL."""
    listener = listen(0)
    config = uvicorn.Config(app, log_config=None, lifespan="off", ws="none", proxy_headers=False)
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


def anything(handler: Handler) -> Starlette:
    """An application that gives every request to one handler."""
    methods = ["GET", "HEAD", "POST", "PUT", "DELETE"]
    return Starlette(routes=[Route("/{path:path}", handler, methods=methods)])


class Upstream:
    """Answers with what it was asked, and counts."""

    def __init__(self, name: str, status: int = 200) -> None:
        self.name = name
        self.status = status
        self.asked = 0

    async def answer(self, request: Request) -> Response:
        self.asked += 1
        seen = {
            "name": self.name,
            "method": request.method,
            "target": request.scope["raw_path"].decode() + "?" + request.scope["query_string"].decode(),
            "headers": [[name.decode(), value.decode()] for name, value in request.headers.raw],
            "body": (await request.body()).decode(),
        }
        return Response(
            json.dumps(seen),
            self.status,
            {"Retry-After": "1", "X-Private": "1", "Connection": "X-Private", "Keyturn-Sequence": "7"},
            media_type="application/json",
        )
