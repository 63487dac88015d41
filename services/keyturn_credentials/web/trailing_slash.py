"""Paths with a trailing slash, equivalent to those without: Keycloak's clients send both."""

from starlette.types import ASGIApp, Receive, Scope, Send


class SlashesIgnored:
    """Middleware for the admin API. It does not redirect, which would repeat the host sent by the caller."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/admin/") and scope["path"].endswith("/"):
            scope = {**scope, "path": scope["path"].removesuffix("/")}
        await self._app(scope, receive, send)
