"""The verifier as a library: it checks tokens inside a resource server, as a node of the fleet."""

from keyturn.extras import needing

with needing("resource-server"):
    from keyturn.resource_server.errors import TokenRefusedError, VerifierUnavailableError
    from keyturn.resource_server.middleware import BearerMiddleware, verified_token
    from keyturn.resource_server.verifier import PresentedRequest, VerifiedToken, Verifier
    from keyturn_verifier.settings import ResourceServerSettings, VerifierSettings

__all__ = [
    "BearerMiddleware",
    "PresentedRequest",
    "ResourceServerSettings",
    "TokenRefusedError",
    "VerifiedToken",
    "Verifier",
    "VerifierSettings",
    "VerifierUnavailableError",
    "verified_token",
]
