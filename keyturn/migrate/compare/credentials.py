"""Credentials of the clients to compare: secrets of the source, and keys that the operator gives."""

import hashlib
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx
import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.export_reading import ExportedClient
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.jose import strict_json
from keyturn_shared.jose.algorithms import HMAC_ALGORITHMS
from keyturn_shared.jose.errors import JoseError
from keyturn_shared.jose.signing import SigningKey, header_segment
from keyturn_shared.secret import Secret

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523 2.2
_ASSERTION_SECONDS: Final = 30
_ONLY_BASIC: Final = ("client_secret_basic", "basic")
_SECRET_ALGS: Final = frozenset(algorithm.name for algorithm in HMAC_ALGORITHMS)
_ALG_OF_CURVE: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Credential:
    """A client's credential. ``form``: adds it to a request's form, for the issuer of a side. ``basic``: sent
    in the Authorization header instead. ``certificate``: files of a certificate and its key for TLS."""

    client_id: str
    form: Callable[[str], Mapping[str, str]] = field(default=lambda issuer: {})
    basic: Secret | None = None
    certificate: tuple[Path, Path] | None = None

    def authorize(self, issuer: str, form: Mapping[str, str]) -> tuple[dict[str, str], httpx.Auth | None]:
        """Return the form of a request with this credential, and how it authenticates."""
        sent = {**form, **self.form(issuer)}
        if self.basic is None:
            return {"client_id": self.client_id, **sent}, None
        # RFC 6749 section 2.3.1 has both parts encoded as in a form.
        name, secret = quote(self.client_id, safe=""), quote(self.basic.reveal(), safe="")
        return sent, httpx.BasicAuth(name, secret)


class NoCredentialError(Exception):
    """There is no credential of this client to compare with; the text is the reason."""


class Keys:
    """Private keys in a directory, by client id, percent-encoded: ``orders.pem`` or ``orders.jwk`` for
    assertions; ``orders.crt`` and ``orders.key`` for TLS. None: no directory was given."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._used: dict[str, str] = {}
        if directory is not None and not directory.is_dir():
            raise ConfigurationError(f"{directory} is not a directory")

    def signing_key(self, client_id: str, alg: str | None) -> tuple[SigningKey, str | None]:
        """Return a client's key and the ``kid`` to name, None for a PEM, which has none. ``alg``: of its
        assertions; by default what the key is for. Raises NoCredentialError, ConfigurationError."""
        if (file := self._file(client_id, ".jwk")) is not None:
            try:
                jwk = strict_json.decode_object(file.read_bytes())
                whole = {"alg": alg, **jwk} if alg is not None else jwk
                key = SigningKey.from_private_jwk(strict_json.encode(whole))
            except (OSError, JoseError) as error:
                raise ConfigurationError(f"{file} is not a private JWK with an alg: {error}") from None
            kid = jwk.get("kid")
            self._used[file.name] = key.verification_key.thumbprint
            return key, kid if isinstance(kid, str) else None
        if (file := self._file(client_id, ".pem")) is None:
            raise NoCredentialError("its key is not in the directory of keys")
        try:
            private = load_pem_private_key(file.read_bytes(), None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
            # No detail: it might quote the file.
            raise ConfigurationError(f"{file} is not an unencrypted private key in PEM") from None
        if not isinstance(
            private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
        ):
            raise ConfigurationError(f"{file} is a key of another kind than RSA, EC or Ed25519")
        try:
            key = SigningKey(private, alg or _alg_of(private))
        except JoseError as error:
            raise ConfigurationError(f"{file} does not fit {alg}: {error.detail}") from None
        self._used[file.name] = key.verification_key.thumbprint
        return key, None

    def certificate(self, client_id: str) -> tuple[Path, Path]:
        """Return the files of a client's certificate and its key. Raises NoCredentialError,
        ConfigurationError."""
        certificate, key = self._file(client_id, ".crt"), self._file(client_id, ".key")
        if certificate is None or key is None:
            raise NoCredentialError("its certificate and key are not in the directory of keys")
        try:
            self._used[certificate.name] = hashlib.sha256(certificate.read_bytes()).hexdigest()
        except OSError as error:
            raise ConfigurationError(f"{certificate} cannot be read: {error.strerror}") from None
        return certificate, key

    def digests(self) -> dict[str, str]:
        """Return, by file name, the SHA-256 of the certificates, and the thumbprints (RFC 7638) of the keys
        that were used."""
        return dict(sorted(self._used.items()))

    def _file(self, client_id: str, suffix: str) -> Path | None:
        if self._directory is None:
            return None
        file = self._directory / f"{quote(client_id, safe='')}{suffix}"
        try:
            return file if file.is_file() else None
        except OSError:  # a name longer than a file can have
            return None


def credential_of(client: ExportedClient, keys: Keys, now: Callable[[], float] = time.time) -> Credential:
    """Return the credential with which a client of the source gets tokens. Raises NoCredentialError, and
    ConfigurationError for an unusable file."""
    representation = client.representation
    values = representation.get("attributes")
    values = values if isinstance(values, Mapping) else {}
    alg = values.get(attributes.SIGNING_ALG) or None
    if alg is not None and not isinstance(alg, str):
        raise NoCredentialError(f"{attributes.SIGNING_ALG} is not a text")
    if representation.get("publicClient") or representation.get("bearerOnly"):
        raise NoCredentialError("it is public or bearer-only, and gets no tokens of its own")
    match representation.get("clientAuthenticatorType") or "client-secret":
        case "client-secret":
            secret = _secret_of(client)
            if values.get(attributes.SECRET_TRANSPORT) in _ONLY_BASIC:
                return Credential(client.client_id, basic=secret)
            return Credential(client.client_id, lambda issuer: {"client_secret": secret.reveal()})
        case "client-secret-jwt":
            secret = _secret_of(client)
            if alg is not None and alg not in _SECRET_ALGS:
                raise NoCredentialError(f"{alg} does not sign with a secret")

            def by_secret(issuer: str) -> Mapping[str, str]:
                claims = _assertion(client.client_id, issuer, now())
                return _as_form(jwt.encode(claims, secret.reveal(), algorithm=alg or "HS256"))

            return Credential(client.client_id, by_secret)
        case "client-jwt":
            key, kid = keys.signing_key(client.client_id, alg)
            header = header_segment(key.algorithm, kid=kid)

            def by_key(issuer: str) -> Mapping[str, str]:
                return _as_form(key.sign_compact(header, _assertion(client.client_id, issuer, now())))

            return Credential(client.client_id, by_key)
        case "client-x509":
            return Credential(client.client_id, certificate=keys.certificate(client.client_id))
        case other:
            raise NoCredentialError(f"its authenticator {other} cannot be imitated")


def _secret_of(client: ExportedClient) -> Secret:
    secret = client.representation.get("secret")
    if client.no_secret is not None or not isinstance(secret, str):
        raise NoCredentialError(client.no_secret or "the secret is not in the source")
    return Secret(secret)


def _assertion(client_id: str, issuer: str, now: float) -> dict[str, Any]:
    issued = int(now)
    return {
        "iss": client_id,
        "sub": client_id,
        "aud": issuer,
        "jti": str(uuid.uuid4()),
        "iat": issued,
        "exp": issued + _ASSERTION_SECONDS,
    }


def _as_form(assertion: str) -> Mapping[str, str]:
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}


def _alg_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> str:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return _ALG_OF_CURVE.get(key.curve.name, "ES256")
    return "RS256" if isinstance(key, rsa.RSAPrivateKey) else "EdDSA"
