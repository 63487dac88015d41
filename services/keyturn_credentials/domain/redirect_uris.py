"""Check of a client's redirect URIs and other URIs for schemes that run scripts. Pure."""

import re
from collections.abc import Mapping
from typing import Any, Final

from keyturn_credentials.errors import InvalidRequestError

_SCHEME: Final = re.compile(r"([^:/?#]*):")
_SCRIPTS: Final = frozenset({"javascript", "data", "vbscript"})
# Browsers ignore these before a scheme, and some of them within it (WHATWG URL section 4.4).
_PASSED_OVER: Final = re.compile(r"[\x00-\x20]")
_ADDRESSES: Final = ("rootUrl", "baseUrl", "adminUrl")


def has_forbidden_scheme(uri: object) -> bool:
    """Return whether a URI has a scheme that Keycloak refuses too: javascript, data, vbscript."""
    scheme = _SCHEME.match(uri) if isinstance(uri, str) else None
    return scheme is not None and _PASSED_OVER.sub("", scheme[1]).lower() in _SCRIPTS


def check_redirect_uris(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Raise InvalidRequestError for a new URI with such a scheme."""
    known = before.get("redirectUris") or ()
    uris = after.get("redirectUris")
    for uri in uris if isinstance(uris, list) else ():
        if uri not in known and has_forbidden_scheme(uri):
            raise InvalidRequestError("redirectUris: a redirect URI must not run a script")
    for name in _ADDRESSES:
        if after.get(name) != before.get(name) and has_forbidden_scheme(after.get(name)):
            raise InvalidRequestError(f"{name} must not run a script")
