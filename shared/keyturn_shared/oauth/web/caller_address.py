"""The caller's address when there are proxies in between."""

from keyturn_shared.network.proxy_headers import FORWARDED_FOR
from keyturn_shared.network.trusted_proxies import Origin, TrustedProxies
from keyturn_shared.oauth.web.messages import Request
from keyturn_shared.web.proxy_chain import ProxyChainCheck


class CallerAddress:
    """Determines addresses by the one rule. ``check``: reports requests that do not fit the configured chain,
    unless something else has reported them."""

    def __init__(self, proxies: TrustedProxies, check: ProxyChainCheck | None = None) -> None:
        self._proxies = proxies
        self._check = check

    def of(self, request: Request) -> Origin:
        fields = (value for name, value in request.headers if name == FORWARDED_FOR)
        origin = self._proxies.origin(request.address, fields)
        if self._check is not None:
            self._check.note(origin)
        return origin
