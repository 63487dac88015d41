"""Keys of the run's clients, and what they sign. Both servers get the same ones."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final
from weakref import WeakKeyDictionary

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from tests.keycloak.scenario import SECRET, Lazy, Variables

RSA, EC, OTHER_RSA = "rsa", "ec", "other-rsa"
PASSWORD: Final = "store-password"


@cache
def private_key(name: str) -> Any:
    """Return the run's private key of this name."""
    if name == EC:
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, 1024 if name == "weak-rsa" else 2048)


def key_set(*names: str) -> str:
    """Return the public keys as a JSON Web Key Set; the name of each is its kid."""
    return json.dumps({"keys": [_jwk(name) for name in names]})


def _jwk(name: str) -> dict[str, Any]:
    algorithm: Any = jwt.algorithms.ECAlgorithm if name == EC else jwt.algorithms.RSAAlgorithm
    found: dict[str, Any] = json.loads(algorithm.to_jwk(private_key(name).public_key()))
    return {**found, "kid": name, "use": "sig", "key_ops": ["verify"]}


def assertion(
    client: str = "{client}",
    *,
    key: str = RSA,
    alg: str = "RS256",
    secret: str = SECRET,
    lasts: float | None = 30,
    begins: float | None = None,
    issued: float | None = 0,
    drop: tuple[str, ...] = (),
    header: Mapping[str, Any] | None = None,
    again: bool = False,
    **claims: Any,
) -> Lazy:
    """Return what makes a client's assertion when it is sent. Times are seconds from then. ``again``: the
    same one whenever a scenario sends it."""
    made: WeakKeyDictionary[Variables, str] = WeakKeyDictionary()

    def make(variables: Variables) -> str:
        if again and variables in made:
            return made[variables]
        now = time.time()
        name = client.replace("{client}", variables["client"])
        body: dict[str, Any] = {
            "iss": name,
            "sub": name,
            "aud": variables["issuer"],
            "jti": str(uuid.uuid4()),
            "iat": None if issued is None else int(now + issued),
            "exp": None if lasts is None else int(now + lasts),
            "nbf": None if begins is None else int(now + begins),
        }
        body |= {member: _filled(value, variables) for member, value in claims.items()}
        body = {member: value for member, value in body.items() if value is not None and member not in drop}
        signing: Any = secret.encode() if alg.startswith("HS") else private_key(key)
        kid = {} if alg.startswith("HS") or alg == "none" else {"kid": key}
        text = made[variables] = _sign({"alg": alg, "typ": "JWT", **kid, **(header or {})}, body, signing)
        return text

    return make


def _sign(header: Mapping[str, Any], claims: Mapping[str, Any], key: Any) -> str:
    """Sign whatever is given: a library would refuse to sign what these tests need."""
    present = {name: value for name, value in header.items() if value is not None}
    parts = [_encoded(json.dumps(part).encode()) for part in (present, claims)]
    signed = ".".join(parts)
    algorithm = jwt.get_algorithm_by_name(str(header["alg"]))
    signature = b"" if header["alg"] == "none" else algorithm.sign(signed.encode(), key)
    return f"{signed}.{_encoded(signature)}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _filled(value: Any, variables: Variables) -> Any:
    if isinstance(value, list):
        return [_filled(each, variables) for each in value]
    if isinstance(value, str):
        for name in ("base", "issuer", "client"):
            value = value.replace(f"{{{name}}}", variables[name])
    return value


def broken(kind: str, **options: Any) -> Lazy:
    """Return what makes an assertion and damages it."""
    make = assertion(**options)

    def damaged(variables: Variables) -> str:
        header, payload, signature = make(variables).split(".")
        return {
            "two parts": f"{header}.{payload}",
            "four parts": f"{header}.{payload}.{signature}.{signature}",
            "no signature": f"{header}.{payload}.",
            "altered payload": f"{header}.{payload[:-4]}AAAA.{signature}",
            "altered signature": f"{header}.{payload}.{'A' * len(signature)}",
            "altered header": f"AAAA{header[4:]}.{payload}.{signature}",
            "spaces": f" {header}.{payload}.{signature} ",
        }[kind]

    return damaged


@cache
def certificate(name: str = RSA, *, days: int = 365, begins: int = -1) -> x509.Certificate:
    """Return a self-signed certificate of the run's key; times in days from now."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    key = private_key(name)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(4711)
        .not_valid_before(now + timedelta(days=begins))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )


def certificate_pem(name: str = RSA, **times: int) -> str:
    return certificate(name, **times).public_bytes(Encoding.PEM).decode()


def public_key_pem(name: str = RSA) -> str:
    key = private_key(name).public_key()
    return str(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def private_key_pem(name: str = RSA) -> str:
    key = private_key(name)
    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


def archive(alias: str = "orders", password: str = PASSWORD) -> bytes:
    """Return the run's key and certificate in PKCS #12."""
    encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return pkcs12.serialize_key_and_certificates(
        alias.encode(), private_key(RSA), certificate(), None, encryption
    )
