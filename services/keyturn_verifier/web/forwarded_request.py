"""The request that a gateway asks about, as described by the gateway; a DPoP proof must match it."""

from typing import Final
from urllib.parse import quote

from keyturn_shared.network.trusted_proxies import TrustedProxies
from keyturn_shared.oauth.web.messages import Request

_METHODS: Final = (b"x-forwarded-method", b"x-original-method")
_URLS: Final = (b"x-original-url",)
_TARGETS: Final = (b"x-forwarded-uri", b"x-original-uri")


class ForwardedRequests:
    """Reads forwarded-request headers from trusted gateways; from others they are ignored."""

    def __init__(self, proxies: TrustedProxies) -> None:
        self._proxies = proxies

    def method(self, request: Request) -> str:
        """Return the request's method. Traefik and nginx send it in a header; Envoy uses the same method.
        Raises InvalidRequestError for a repeated header."""
        return self._first(request, _METHODS) or request.method

    def urls(self, request: Request, below: str) -> list[str]:
        """Return the possible URLs of that request. ``below``: this endpoint's path, before the one Envoy
        appends. Raises InvalidRequestError for a repeated header."""
        whole = self._first(request, _URLS)
        if whole is not None:
            return [whole]
        host = self._first(request, (b"x-forwarded-host",)) or request.header(b"host") or ""
        scheme = self._first(request, (b"x-forwarded-proto",)) or "https"
        target = self._first(request, _TARGETS)
        if target is None:
            target = quote(request.path.removeprefix(below)) or "/"
        return [f"{scheme}://{host}{target}"]

    def _first(self, request: Request, names: tuple[bytes, ...]) -> str | None:
        if not self._proxies.trusts(request.address):
            return None
        for name in names:
            value = request.header(name)
            if value:
                return value
        return None
