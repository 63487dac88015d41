"""A client's public keys: Keycloak's attributes and their precedence."""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_public_key

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.client import Client, KeySource
from keyturn_credentials.errors import InvalidRequestError, LimitReachedError
from keyturn_shared.client_authenticators import CLIENT_AUTHENTICATORS
from keyturn_shared.jose.errors import InvalidKeyError, InvalidKeySetError
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.jose.key_set import KeySet, SkippedKey
from keyturn_shared.network.refusal import FetchRefused
from keyturn_shared.network.target import read_target

_CREDENTIAL: Final = "jwt.credential"
_NAMES: Final = (
    attributes.USE_JWKS_URL,
    attributes.USE_JWKS_STRING,
    attributes.JWKS_STRING,
    *(f"{_CREDENTIAL}.{name}" for name in (attributes.CERTIFICATE, attributes.PUBLIC_KEY, attributes.KID)),
)
"""Attributes with a client's keys, beside its URL."""
_SHORT: Final = 8192
"""Characters of a key set up to which its parsed form is kept for a while."""
# 43 characters are 258 bits: the last two must be zero, or the text is not the encoding of 256 bits.
_THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]\Z")
MAX_REVOKED_KEYS: Final = 10_000
"""Revoked keys of one client."""
MAX_REVOKED_UNKNOWN_KEYS: Final = 1_000
"""Revoked keys of one client beyond which a key must be one of the client's own to be revoked: each stays in
the client's projection forever, and thumbprints can be made up."""


@dataclass(frozen=True, slots=True)
class ClientKeys:
    """A client's configured keys. ``source`` None: it has none.

    For ``jwks_url`` the keys are elsewhere; otherwise they are ``keys``, and ``jwks`` is the JWK Set for
    verifiers. ``certificate``: the one that contains the key. ``skipped``: unusable keys of an inline
    JWK Set.
    """

    source: KeySource | None = None
    url: str | None = None
    keys: tuple[VerificationKey, ...] = ()
    jwks: Mapping[str, object] | None = None
    certificate: x509.Certificate | None = None
    skipped: tuple[SkippedKey, ...] = ()

    @property
    def notes(self) -> list[str]:
        """Return what to tell about the skipped keys."""
        return notes_on(self.skipped)


def notes_on(skipped: Iterable[SkippedKey]) -> list[str]:
    """Return what to tell whoever stores a JWK Set about the keys that are skipped."""
    return [f"{attributes.JWKS_STRING}: {each}" for each in skipped]


def keys_of(client: Client) -> ClientKeys:
    """Return the client's keys by Keycloak's precedence: URL, inline JWK Set, certificate or public key.
    Raises InvalidRequestError naming the invalid attribute."""
    if attributes.is_true(client.attributes, attributes.USE_JWKS_URL):
        return ClientKeys("jwks_url", url=_check_url(client.jwks_url))
    if attributes.is_true(client.attributes, attributes.USE_JWKS_STRING):
        return _inline(client.attributes.get(attributes.JWKS_STRING, ""))
    return _certificate(client.attributes)


def certificate_ends_at(client: Client) -> float | None:
    """Return when the certificate with the client's key ends, in NumericDate seconds; None if it does not
    authenticate with one."""
    if not client.has_own_keys or not client.attributes.get(f"{_CREDENTIAL}.{attributes.CERTIFICATE}"):
        return None
    try:
        certificate = keys_of(client).certificate
    except InvalidRequestError:  # written by an earlier release
        return None
    return None if certificate is None else certificate.not_valid_after_utc.timestamp()


def key_age_noted(before: Client | None, after: Client, now: float) -> Client:
    """Return the client with the time since when it has its keys, from before the change or ``now``."""
    if CLIENT_AUTHENTICATORS[after.authenticator].credential != "keys":
        return replace(after, keys_since=None)
    if before is None or before.keys_since is None:
        return replace(after, keys_since=now)
    is_same = _configured(before) == _configured(after) or _has_same_keys(before, after)
    return replace(after, keys_since=before.keys_since if is_same else now)


def _configured(client: Client) -> tuple[str | None, ...]:
    return client.jwks_url, *(client.attributes.get(name) for name in _NAMES)


def _has_same_keys(before: Client, after: Client) -> bool:
    """Return whether only the text differs in which the keys are stored."""
    try:
        one, other = keys_of(before), keys_of(after)
    except InvalidRequestError:
        return False
    thumbprints = [{key.thumbprint for key in each.keys} for each in (one, other)]
    return one.url == other.url and thumbprints[0] == thumbprints[1]


def is_thumbprint(text: str) -> bool:
    """Return whether the text can be an RFC 7638 thumbprint with SHA-256: the base64url of 32 octets."""
    return _THUMBPRINT.match(text) is not None


def check_revoked(before: Mapping[str, float], after: Mapping[str, float], *, own: bool) -> None:
    """Raise LimitReachedError if a change leaves too many revoked keys. ``own``: the added keys are known to
    be the client's."""
    most = MAX_REVOKED_KEYS if own else MAX_REVOKED_UNKNOWN_KEYS
    if len(after) > max(most, len(before)):
        raise LimitReachedError(
            f"{len(before)} keys of this client are revoked; the limit is {MAX_REVOKED_KEYS}, or"
            f" {MAX_REVOKED_UNKNOWN_KEYS} for a key that the client does not have"
        )


def read_certificate(text: str, name: str) -> x509.Certificate:
    """Parse a certificate in Keycloak's forms: PEM, or only the base64 of its body."""
    try:
        return x509.load_der_x509_certificate(_der(text))
    except ValueError as error:
        raise InvalidRequestError(f"{name} is not an X.509 certificate") from error


def read_public_key(text: str, name: str, *, kid: str | None = None) -> VerificationKey:
    """Parse a public key in Keycloak's forms: PEM of a SubjectPublicKeyInfo, or only its base64."""
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
        raise InvalidRequestError(f"{certificate_name} and {key_name} are mutually exclusive")
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
    # Without a kid of its own it answers to its thumbprint and to the kid that Keycloak's adapters derive.
    return ClientKeys("certificate", keys=(key,), jwks={"keys": [key.stored_jwk]}, certificate=read)


def _inline(text: str) -> ClientKeys:
    try:
        key_set = _parse_short(text) if len(text) <= _SHORT else KeySet.from_json(text.encode())
    except InvalidKeySetError as error:
        raise InvalidRequestError(f"{attributes.JWKS_STRING}: {error.detail}") from error
    if not key_set.keys:
        reasons = "; ".join(skipped.detail for skipped in key_set.skipped[:3]) or "it is empty"
        raise InvalidRequestError(f"{attributes.JWKS_STRING} has no usable key: {reasons}")
    return ClientKeys("jwks", keys=key_set.keys, jwks=key_set.public_jwks, skipped=key_set.skipped)


@lru_cache(maxsize=512)
def _parse_short(text: str) -> KeySet:
    """Parse a JWK Set as ``KeySet.from_json`` does. A change reads the same set when it is checked and when
    it is projected."""
    return KeySet.from_json(text.encode())


def _check_url(url: str | None) -> str:
    if not url:
        raise InvalidRequestError(f"{attributes.USE_JWKS_URL} is set, but {attributes.JWKS_URL} is not")
    try:
        read_target(url)
    except FetchRefused as error:
        raise InvalidRequestError(f"{attributes.JWKS_URL}: {error.detail}") from error
    return url


def _der(text: str) -> bytes:
    """Decode a PEM body, with or without its header and footer."""
    lines = [line.strip() for line in text.strip().splitlines()]
    if lines and lines[0].startswith("-----BEGIN "):
        if "PRIVATE KEY" in lines[0]:
            raise InvalidRequestError("expected a public key, but received a private one; nothing was stored")
        if lines.count(lines[0]) > 1:
            raise InvalidRequestError("expected a single certificate or key")
        lines = [line for line in lines if not line.startswith("-----")]
    try:
        return base64.b64decode("".join(lines), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequestError("it is neither PEM nor base64") from error
