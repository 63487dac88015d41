"""The request a gateway asks about, as it tells of it: what a DPoP proof has to be for."""

from typing import Final
from urllib.parse import quote

from keyturn_verifier.web.exchange import Request

_METHODS: Final = (b"x-forwarded-method", b"x-original-method")
_URLS: Final = (b"x-original-url",)
_TARGETS: Final = (b"x-forwarded-uri", b"x-original-uri")


def forwarded_method(request: Request) -> str:
    """Traefik and nginx say it in a header; Envoy asks with the same method."""
    return _first(request, _METHODS) or request.method


def forwarded_urls(request: Request, below: str) -> list[str]:
    """The URL of that request. ``below``: the path of this endpoint, behind which Envoy puts the other one's.

    Raises InvalidRequestError for a header that is there twice.
    """
    whole = _first(request, _URLS)
    if whole is not None:
        return [whole]
    host = request.header(b"x-forwarded-host") or request.header(b"host") or ""
    scheme = request.header(b"x-forwarded-proto") or "https"
    target = _first(request, _TARGETS)
    if target is None:
        target = quote(request.path.removeprefix(below)) or "/"
    return [f"{scheme}://{host}{target}"]


def _first(request: Request, names: tuple[bytes, ...]) -> str | None:
    for name in names:
        value = request.header(name)
        if value:
            return value
    return None
