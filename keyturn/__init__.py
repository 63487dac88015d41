"""keyturn: confidential client credentials for fleets of verifiers.

What services import::

    from keyturn import ClientCredentials, ClientKeys, follow_key_rotations  # prove who a client is
    from keyturn import ClientSecret, follow_secret_rotations  # the same with a secret
    from keyturn import BearerMiddleware, Verifier  # check tokens inside a resource server

    from keyturn import Pkcs11Signer  # sign with a key in an HSM or a token

The last two lines need the extras ``resource-server`` and ``pkcs11``. Names are loaded when they are first
used, so that ``import keyturn`` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from keyturn.client import (
        AccessToken,
        ClientCredentials,
        ClientKeys,
        ClientSecret,
        JwksEndpoint,
        KeyFileError,
        KeyStateError,
        NoTokenError,
        RotationError,
        SecretStateError,
        Signer,
        SignerError,
        SigningKey,
        WsgiJwksEndpoint,
        follow_key_rotations,
        follow_secret_rotations,
        load_key,
        offer_new_key,
        rotate,
        rotate_on_schedule,
        take_new_secret,
    )
    from keyturn.pkcs11 import Pkcs11Signer
    from keyturn.resource_server import (
        BearerMiddleware,
        PresentedRequest,
        ResourceServerSettings,
        TokenRefusedError,
        VerifiedToken,
        Verifier,
        VerifierSettings,
        VerifierUnavailableError,
        verified_token,
    )

__version__ = "0.1.0"

__all__ = [
    "AccessToken",
    "BearerMiddleware",
    "ClientCredentials",
    "ClientKeys",
    "ClientSecret",
    "JwksEndpoint",
    "KeyFileError",
    "KeyStateError",
    "NoTokenError",
    "Pkcs11Signer",
    "PresentedRequest",
    "ResourceServerSettings",
    "RotationError",
    "SecretStateError",
    "Signer",
    "SignerError",
    "SigningKey",
    "TokenRefusedError",
    "VerifiedToken",
    "Verifier",
    "VerifierSettings",
    "VerifierUnavailableError",
    "WsgiJwksEndpoint",
    "follow_key_rotations",
    "follow_secret_rotations",
    "load_key",
    "offer_new_key",
    "rotate",
    "rotate_on_schedule",
    "take_new_secret",
    "verified_token",
]

_OF_CLIENTS: Final = frozenset(
    {
        "AccessToken",
        "ClientCredentials",
        "ClientKeys",
        "ClientSecret",
        "JwksEndpoint",
        "KeyFileError",
        "KeyStateError",
        "NoTokenError",
        "RotationError",
        "SecretStateError",
        "Signer",
        "SignerError",
        "SigningKey",
        "WsgiJwksEndpoint",
        "follow_key_rotations",
        "follow_secret_rotations",
        "load_key",
        "offer_new_key",
        "rotate",
        "rotate_on_schedule",
        "take_new_secret",
    }
)


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'keyturn' has no attribute {name!r}")
    if name in _OF_CLIENTS:
        home = "keyturn.client"
    else:
        home = "keyturn.pkcs11" if name == "Pkcs11Signer" else "keyturn.resource_server"
    return getattr(import_module(home), name)
