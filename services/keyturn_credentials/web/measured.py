"""Counts requests, by the part of the service that answers them."""

from collections.abc import Callable
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keyturn_shared.web.request_metrics import RequestMetrics

_PARTS: Final = ("admin", "console", "realms")
_READS: Final = ("GET", "HEAD")


class Measured:
    """Middleware: counts requests below ``/admin`` (``admin_read`` and ``admin_change``), ``/console`` and
    ``/realms``. A request lasts until its response begins, since a stream of events has no other end."""

    def __init__(self, app: ASGIApp, metrics: RequestMetrics, elapsed: Callable[[], float]) -> None:
        self._app = app
        self._elapsed = elapsed
        self._endpoints = {
            name: metrics.of(name) for name in ("admin_read", "admin_change", "console", "realms")
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        part = scope["path"].split("/", 2)[1] if scope["type"] == "http" and scope["path"][:1] == "/" else ""
        if part not in _PARTS:
            await self._app(scope, receive, send)
            return
        if part == "admin":
            part = "admin_read" if scope["method"] in _READS else "admin_change"
        endpoint, begun, answered = self._endpoints[part], self._elapsed(), False

        async def send_counted(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                endpoint.note(message["status"], self._elapsed() - begun)
            await send(message)

        try:
            await self._app(scope, receive, send_counted)
        except Exception:  # whatever it is: the request is counted, and the error goes on
            if not answered:  # the handler of unexpected errors, around all middleware, answers with 500
                endpoint.note(500, self._elapsed() - begun)
            raise
