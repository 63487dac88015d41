"""The client's side: keys and their publication, secrets, tokens for httpx, rotation."""

from keyturn.client.credentials import AccessToken, ClientCredentials, NoTokenError
from keyturn.client.jwks_endpoint import JwksEndpoint
from keyturn.client.keys import ClientKeys, RotationError
from keyturn.client.rotation import rotate
from keyturn.client.secret_rotation import follow_secret_rotations, take_new_secret
from keyturn.client.secrets import ClientSecret, SecretStateError
from keyturn_shared.jose.signing import SigningKey

__all__ = [
    "AccessToken",
    "ClientCredentials",
    "ClientKeys",
    "ClientSecret",
    "JwksEndpoint",
    "NoTokenError",
    "RotationError",
    "SecretStateError",
    "SigningKey",
    "follow_secret_rotations",
    "rotate",
    "take_new_secret",
]
