"""Addresses with a slash at their end mean the same as without: Keycloak's clients send both."""

from starlette.types import ASGIApp, Receive, Scope, Send


class SlashesIgnored:
    """Middleware: for the admin API. Without a redirect, which would name the host that the caller named."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/admin/") and scope["path"].endswith("/"):
            scope = {**scope, "path": scope["path"].removesuffix("/")}
        await self._app(scope, receive, send)
