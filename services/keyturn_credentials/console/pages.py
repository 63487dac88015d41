"""Serves the console's files, with headers that keep out foreign code."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyturn_credentials.console.assets import PAGE, assets

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


_CHECKED: Final = "no-cache"
_KEPT: Final = "public, max-age=31536000, immutable"


def _serve(request: Request, name: str, keeping: str) -> Response:
    asset = assets().by_path.get(name)
    if asset is None:
        return Response("no such file", status_code=404, headers=SECURITY_HEADERS)
    # The files contain no secret, so compression leaks nothing.
    compress = "gzip" in request.headers.get("accept-encoding", "")
    etag = f'"{asset.etag}-gzip"' if compress else f'"{asset.etag}"'
    headers = {**SECURITY_HEADERS, "ETag": etag, "Cache-Control": keeping, "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    if not compress:
        return Response(asset.content, media_type=asset.media_type, headers=headers)
    headers["Content-Encoding"] = "gzip"
    return Response(asset.compressed, media_type=asset.media_type, headers=headers)


def page_routes() -> list[Route]:
    """Make the routes ``/console/static/…`` and, for every other path below ``/console``, the one page."""

    async def static(request: Request) -> Response:
        path = request.path_params["path"]
        version, _, name = path.partition("/")
        if version == assets().version:
            return _serve(request, name, _KEPT)
        return _serve(request, path, _CHECKED)

    async def page(request: Request) -> Response:
        return _serve(request, PAGE, _CHECKED)

    return [
        Route("/console/static/{path:path}", static, methods=["GET"]),
        Route("/console", page, methods=["GET"]),
        Route("/console/{path:path}", page, methods=["GET"]),
    ]
