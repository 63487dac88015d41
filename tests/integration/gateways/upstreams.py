"""Real HTTP servers on loopback ports, as upstreams."""

import json
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Handler = Callable[[Request], Awaitable[Response]]


def anything(handler: Handler) -> Starlette:
    """Make an application with one handler for every request."""
    methods = ["GET", "HEAD", "POST", "PUT", "DELETE"]
    return Starlette(routes=[Route("/{path:path}", handler, methods=methods)])


class Upstream:
    """Answers with a description of the request, and counts."""

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
