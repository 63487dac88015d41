"""Requests through proxies, presented as if their callers had sent them directly."""

from contextvars import ContextVar
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from keyturn_shared.network.proxy_headers import FORWARDED_FOR, FORWARDED_PROTO
from keyturn_shared.network.trusted_proxies import TrustedProxies
from keyturn_shared.web.proxy_chain import ProxyChainCheck

CALLER_ADDRESS: Final[ContextVar[str | None]] = ContextVar("caller_address", default=None)
"""The address of the caller of the current request, for parts that do not see the request."""
PEER: Final = "keyturn.peer"
"""Member of the scope: the address at the other end of the connection."""

_OWN_PATHS: Final = ("/health/", "/metrics")
"""Requested by machines next to the proxies, for themselves."""


class Proxied:
    """Middleware: sets ``client`` and ``scheme`` of the scope from the headers of trusted proxies.

    ``client`` becomes the trustworthy address nearest to the caller, without a port. ``PEER`` keeps the
    address of the connection.
    """

    def __init__(self, app: ASGIApp, proxies: TrustedProxies, check: ProxyChainCheck) -> None:
        self._app = app
        self._proxies = proxies
        self._check = check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope.get("client"):
            scope = self._behind_proxies(scope)
            CALLER_ADDRESS.set(scope["client"][0])
        await self._app(scope, receive, send)

    def _behind_proxies(self, scope: Scope) -> Scope:
        peer = scope["client"][0]
        forwarded_for = [value for name, value in scope["headers"] if name == FORWARDED_FOR]
        origin = self._proxies.origin(peer, forwarded_for)
        if not scope["path"].startswith(_OWN_PATHS):
            self._check.note(origin)
        changed = {**scope, "client": (origin.nearest, 0), PEER: peer}
        if self._proxies.trusts(peer):
            schemes = [value for name, value in scope["headers"] if name == FORWARDED_PROTO]
            if len(schemes) == 1 and schemes[0] in (b"http", b"https"):
                changed["scheme"] = schemes[0].decode()
        return changed
