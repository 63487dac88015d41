"""Request headers by which a proxy describes its caller and the request.

keyturn's processes trust each of them, or can be configured to, when it comes from a trusted proxy. So any
proxy in front must overwrite or remove every one that its own callers send. A test compares the files in
``docs/gateways`` and ``deploy`` with this list.
"""

from typing import Final

FORWARDED_FOR: Final = b"x-forwarded-for"
FORWARDED_PROTO: Final = b"x-forwarded-proto"

PROXY_HEADERS: Final = frozenset(
    {
        # the caller's address and request
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-method",
        "x-forwarded-proto",
        "x-forwarded-uri",
        "x-original-method",
        "x-original-uri",
        "x-original-url",
        "x-real-ip",
        # the caller's certificate: RFC 9440, and the names that nginx, HAProxy, Envoy and Traefik use
        "client-cert",
        "client-cert-chain",
        "ssl-client-cert",
        "x-forwarded-client-cert",
        "x-forwarded-tls-client-cert",
        "x-ssl-client-cert",
        # an API gateway's requirements for a token, and what it passes to the API
        "x-keyturn-client",
        "x-keyturn-require-audience",
        "x-keyturn-require-scope",
        "x-keyturn-scope",
    }
)
"""Names in lower case."""
