"""The client's side: keys and their publication, secrets, tokens for httpx, rotation."""

from keyturn.client.access_token import AccessToken, NoTokenError
from keyturn.client.credentials import ClientCredentials
from keyturn.client.jwks_endpoint import JwksEndpoint, WsgiJwksEndpoint
from keyturn.client.key_files import KeyFileError, load_key
from keyturn.client.key_rotation import follow_key_rotations, offer_new_key
from keyturn.client.key_state import KeyStateError
from keyturn.client.keys import ClientKeys, RotationError
from keyturn.client.rotation import rotate, rotate_on_schedule
from keyturn.client.secret_rotation import follow_secret_rotations, take_new_secret
from keyturn.client.secrets import ClientSecret, SecretStateError
from keyturn.client.signer import Signer, SignerError
from keyturn_shared.jose.signing import SigningKey

__all__ = [
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
]
