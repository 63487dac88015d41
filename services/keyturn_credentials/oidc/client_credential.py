"""Authentication at the token endpoint: a secret, a key, or none but PKCE."""

import base64
import secrets
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote_plus

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from keyturn_shared.errors import ConfigurationError
from keyturn_shared.jose.errors import JoseError
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.secret import Secret

ASSERTION_SECONDS: Final = 60
_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_CURVES: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


@dataclass(frozen=True, slots=True)
class TokenRequestParts:
    """A token request's own parts: the header ``Authorization``, and members of the form."""

    authorization: str | None = None
    form: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class PublicClient:
    """A client without a credential (RFC 6749 section 2.1): PKCE alone protects its codes."""

    def authenticate(self, client_id: str, endpoint: str, now: float) -> TokenRequestParts:
        """Return what identifies the client."""
        return TokenRequestParts(form={"client_id": client_id})


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """``client_secret_basic`` (RFC 6749 section 2.3.1)."""

    secret: Secret

    def authenticate(self, client_id: str, endpoint: str, now: float) -> TokenRequestParts:
        """Return the header with ID and secret, each encoded as in a form."""
        pair = f"{quote_plus(client_id)}:{quote_plus(self.secret.reveal())}"
        return TokenRequestParts(f"Basic {base64.b64encode(pair.encode()).decode('ascii')}")


@dataclass(frozen=True, slots=True)
class ClientKey:
    """``private_key_jwt`` (RFC 7523 section 2.2; OpenID Connect Core section 9)."""

    key: SigningKey

    def authenticate(self, client_id: str, endpoint: str, now: float) -> TokenRequestParts:
        """Return a new assertion for this endpoint."""
        claims = {"iss": client_id, "sub": client_id, "aud": endpoint, "jti": secrets.token_urlsafe()}
        times = {"iat": int(now), "exp": int(now) + ASSERTION_SECONDS}
        assertion = self.key.sign_compact(self.key.header_segment(), claims | times)
        form = {"client_assertion_type": _ASSERTION_TYPE, "client_assertion": assertion}
        return TokenRequestParts(form={"client_id": client_id, **form})


ClientCredential = PublicClient | ClientSecret | ClientKey


def read_client_key(pem: str) -> ClientKey:
    """Read a private key in PEM without a password: RSA (signs with RS256), EC or Ed25519. Raises
    ConfigurationError, which shows nothing of the key."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigurationError("not a private key in PEM without a password") from None
    try:
        if isinstance(key, rsa.RSAPrivateKey):
            return ClientKey(SigningKey(key, "RS256"))
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return ClientKey(SigningKey(key, _CURVES.get(key.curve.name, "")))
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return ClientKey(SigningKey(key, "EdDSA"))
    except JoseError as error:
        raise ConfigurationError(f"the private key cannot be used: {error.detail}") from None
    raise ConfigurationError("the private key is neither RSA, EC nor Ed25519")
