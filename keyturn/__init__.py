"""keyturn: confidential client credentials for fleets of verifiers.

What services import::

    from keyturn import BearerMiddleware, Verifier  # check tokens inside a resource server
    from keyturn import ClientCredentials, ClientKeys, JwksEndpoint, rotate  # prove who a client is

Names are loaded when they are first used, so that ``import keyturn`` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from keyturn.client.credentials import ClientCredentials, NoTokenError
    from keyturn.client.jwks_endpoint import JwksEndpoint
    from keyturn.client.keys import ClientKeys, RotationError
    from keyturn.client.rotation import rotate
    from keyturn.resource_server.errors import TokenRefusedError, VerifierUnavailableError
    from keyturn.resource_server.middleware import BearerMiddleware, verified_token
    from keyturn.resource_server.verifier import PresentedRequest, VerifiedToken, Verifier
    from keyturn_verifier.settings import VerifierSettings

__version__ = "0.1.0"

__all__ = [
    "BearerMiddleware",
    "ClientCredentials",
    "ClientKeys",
    "JwksEndpoint",
    "NoTokenError",
    "PresentedRequest",
    "RotationError",
    "TokenRefusedError",
    "VerifiedToken",
    "Verifier",
    "VerifierSettings",
    "VerifierUnavailableError",
    "rotate",
    "verified_token",
]

_HOMES: Final = {
    "BearerMiddleware": "keyturn.resource_server.middleware",
    "ClientCredentials": "keyturn.client.credentials",
    "ClientKeys": "keyturn.client.keys",
    "JwksEndpoint": "keyturn.client.jwks_endpoint",
    "NoTokenError": "keyturn.client.credentials",
    "PresentedRequest": "keyturn.resource_server.verifier",
    "RotationError": "keyturn.client.keys",
    "TokenRefusedError": "keyturn.resource_server.errors",
    "VerifiedToken": "keyturn.resource_server.verifier",
    "Verifier": "keyturn.resource_server.verifier",
    "VerifierSettings": "keyturn_verifier.settings",
    "VerifierUnavailableError": "keyturn.resource_server.errors",
    "rotate": "keyturn.client.rotation",
    "verified_token": "keyturn.resource_server.middleware",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'keyturn' has no attribute {name!r}")
    return getattr(import_module(home), name)
