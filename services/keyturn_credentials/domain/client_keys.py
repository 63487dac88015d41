"""Where a client's public keys come from, and what they are: Keycloak's attributes and their precedence."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_public_key

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.client import Client, KeySource
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.jose.errors import InvalidKeyError, InvalidKeySetError
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.network.refusal import FetchRefused
from keyturn_shared.network.target import read_target

_CREDENTIAL: Final = "jwt.credential"
_THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}\Z")


@dataclass(frozen=True, slots=True)
class ClientKeys:
    """A client's keys as configured. ``source`` None: it has none. For ``jwks_url`` the keys are elsewhere;
    otherwise they are ``keys``, and ``jwks`` is the JWK Set that verifiers get. ``certificate``: the one the
    key is from."""

    source: KeySource | None = None
    url: str | None = None
    keys: tuple[VerificationKey, ...] = ()
    jwks: Mapping[str, object] | None = None
    certificate: x509.Certificate | None = None


def keys_of(client: Client) -> ClientKeys:
    """Keycloak's precedence: URL, then inline JWK Set, then certificate or public key.

    Raises InvalidRequestError naming the attribute that cannot be used.
    """
    if attributes.is_true(client.attributes, attributes.USE_JWKS_URL):
        return ClientKeys("jwks_url", url=_check_url(client.jwks_url))
    if attributes.is_true(client.attributes, attributes.USE_JWKS_STRING):
        return _inline(client.attributes.get(attributes.JWKS_STRING, ""))
    return _certificate(client.attributes)


def is_thumbprint(text: str) -> bool:
    """Whether this can be an RFC 7638 thumbprint over SHA-256: 43 characters of base64url."""
    return _THUMBPRINT.match(text) is not None


def read_certificate(text: str, name: str) -> x509.Certificate:
    """A certificate as Keycloak keeps it: PEM, or the base64 of its body alone."""
    try:
        return x509.load_der_x509_certificate(_der(text))
    except ValueError as error:
        raise InvalidRequestError(f"{name} is not an X.509 certificate") from error


def read_public_key(text: str, name: str, *, kid: str | None = None) -> VerificationKey:
    """A public key as Keycloak keeps it: PEM of a SubjectPublicKeyInfo, or its base64 alone."""
    try:
        return VerificationKey.from_public_key(load_der_public_key(_der(text)), kid=kid)
    except ValueError as error:
        raise InvalidRequestError(f"{name} is not a public key") from error
    except InvalidKeyError as error:
        raise InvalidRequestError(f"{name}: {error.detail}") from error


def _certificate(values: Mapping[str, str]) -> ClientKeys:
    certificate_name = f"{_CREDENTIAL}.{attributes.CERTIFICATE}"
    key_name = f"{_CREDENTIAL}.{attributes.PUBLIC_KEY}"
    certificate, public_key = values.get(certificate_name), values.get(key_name)
    kid = values.get(f"{_CREDENTIAL}.{attributes.KID}") or None
    read: x509.Certificate | None = None
    if certificate and public_key:
        raise InvalidRequestError(f"{certificate_name} and {key_name} exclude each other")
    if certificate:
        read = read_certificate(certificate, certificate_name)
        try:
            key = VerificationKey.from_certificate(read, kid=kid)
        except InvalidKeyError as error:
            raise InvalidRequestError(f"{certificate_name}: {error.detail}") from error
    elif public_key:
        key = read_public_key(public_key, key_name, kid=kid)
    else:
        return ClientKeys()
    jwk = key.public_jwk
    if kid is None:
        # Without a kid of its own it answers to its thumbprint and to the kid Keycloak's adapters derive.
        del jwk["kid"]
    return ClientKeys("certificate", keys=(key,), jwks={"keys": [jwk]}, certificate=read)


def _inline(text: str) -> ClientKeys:
    try:
        key_set = KeySet.from_json(text.encode())
    except InvalidKeySetError as error:
        raise InvalidRequestError(f"{attributes.JWKS_STRING}: {error.detail}") from error
    if not key_set.keys:
        reasons = "; ".join(skipped.detail for skipped in key_set.skipped[:3]) or "it is empty"
        raise InvalidRequestError(f"{attributes.JWKS_STRING} has no key that can be used: {reasons}")
    return ClientKeys("jwks", keys=key_set.keys, jwks=key_set.public_jwks)


def _check_url(url: str | None) -> str:
    if not url:
        raise InvalidRequestError(f"{attributes.USE_JWKS_URL} is set, but {attributes.JWKS_URL} is not")
    try:
        read_target(url)
    except FetchRefused as error:
        raise InvalidRequestError(f"{attributes.JWKS_URL}: {error.detail}") from error
    return url


def _der(text: str) -> bytes:
    """The octets of a PEM body, with or without its armour."""
    lines = [line.strip() for line in text.strip().splitlines()]
    if lines and lines[0].startswith("-----BEGIN "):
        if "PRIVATE KEY" in lines[0]:
            raise InvalidRequestError("a private key was sent where a public one belongs; nothing was kept")
        if lines.count(lines[0]) > 1:
            raise InvalidRequestError("one certificate or key was expected, not several")
        lines = [line for line in lines if not line.startswith("-----")]
    try:
        return base64.b64decode("".join(lines), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequestError("neither PEM nor base64") from error
