"""Detection of requests that another site's page made a browser send (RFC 6454; Fetch Metadata)."""

from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request

from keyturn_credentials.errors import ForbiddenError

_OWN_SITES: Final = frozenset({"same-origin", "none"})


class OwnOrigin:
    """Distinguishes requests of the console's own pages from others. ``base_url``: the public one.

    Browsers omit ``Sec-Fetch-Site`` over plain http, but send ``Origin`` with every change. Programs send
    neither. A console that is reached under another name than the public one is recognised by ``Host``.
    """

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._origin = f"{parts.scheme}://{parts.netloc}".lower()
        self._host = parts.netloc.lower()

    def require(self, request: Request) -> None:
        """Raise ForbiddenError for a request of another origin."""
        site = request.headers.get("sec-fetch-site")
        if site is not None and site not in _OWN_SITES:
            raise ForbiddenError("the request came from a page of another site")
        origins = request.headers.getlist("origin")
        if any(not self._is_own(origin.lower(), request) for origin in origins):
            raise ForbiddenError(
                f"a page of {origins[0][:100]} sent this request; those of {self._origin} may"
            )

    def _is_own(self, origin: str, request: Request) -> bool:
        if origin == self._origin:
            return True
        scheme, _, host = origin.partition("://")
        # The public name requires the public scheme: content over plain http may be anyone's.
        hosts = request.headers.getlist("host")
        return (
            scheme in ("http", "https") and host != self._host and [host] == [each.lower() for each in hosts]
        )
