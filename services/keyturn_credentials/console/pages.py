"""The console's files, with the headers that keep other people's code out."""

import hashlib
import mimetypes
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
mimetypes.add_type("text/javascript", ".js")


@cache
def _assets() -> dict[str, tuple[bytes, str, str]]:
    """Path below ``static`` to content, media type and ETag. Only these can be served: no path is opened
    because of a request."""
    found: dict[str, tuple[bytes, str, str]] = {}

    def collect(folder: Traversable, prefix: str) -> None:
        for entry in folder.iterdir():
            if entry.is_dir():
                collect(entry, f"{prefix}{entry.name}/")
            else:
                content = entry.read_bytes()
                media_type = mimetypes.guess_type(entry.name)[0] or "application/octet-stream"
                etag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
                found[f"{prefix}{entry.name}"] = (content, media_type, etag)

    collect(files("keyturn_credentials.console") / "static", "")
    return found


def _serve(request: Request, name: str) -> Response:
    asset = _assets().get(name)
    if asset is None:
        return Response("there is no such file", status_code=404, headers=SECURITY_HEADERS)
    content, media_type, etag = asset
    headers = {**SECURITY_HEADERS, "ETag": etag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def page_routes() -> list[Route]:
    """``/console/static/…`` and, for every other address below ``/console``, the one page."""

    async def static(request: Request) -> Response:
        return _serve(request, request.path_params["path"])

    async def page(request: Request) -> Response:
        return _serve(request, "index.html")

    return [
        Route("/console/static/{path:path}", static, methods=["GET"]),
        Route("/console", page, methods=["GET"]),
        Route("/console/{path:path}", page, methods=["GET"]),
    ]
