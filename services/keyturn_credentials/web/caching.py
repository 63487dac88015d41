"""Cache prevention for the admin API: any response may contain a secret (RFC 9111 5.2.2.5)."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PATH: Final = "/admin"
_NO_STORE: Final = (b"cache-control", b"no-store")


class NeverStored:
    """Middleware: ``Cache-Control: no-store`` below ``/admin``, on errors too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_PATH):
            await self._app(scope, receive, send)
            return

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                others = [pair for pair in message.get("headers", ()) if pair[0].lower() != _NO_STORE[0]]
                message = {**message, "headers": [*others, _NO_STORE]}
            await send(message)

        await self._app(scope, receive, send_marked)
