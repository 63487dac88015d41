"""The client's side of private_key_jwt: keys, their publication, tokens for httpx, rotation."""

from keyturn.client.credentials import ClientCredentials, NoTokenError
from keyturn.client.jwks_endpoint import JwksEndpoint
from keyturn.client.keys import ClientKeys, RotationError
from keyturn.client.rotation import rotate
from keyturn_shared.jose.signing import SigningKey

__all__ = [
    "ClientCredentials",
    "ClientKeys",
    "JwksEndpoint",
    "NoTokenError",
    "RotationError",
    "SigningKey",
    "rotate",
]
