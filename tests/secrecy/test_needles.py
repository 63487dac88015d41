"""The search finds a secret in every possible encoding; otherwise finding none would mean nothing."""

import base64
import secrets
import sqlite3
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from keyturn_shared.jose.signing import SigningKey
from tests.secrecy.needles import Needles

TEXT_ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "raw": str.encode,
    "in other text": lambda text: f'{{"a": "{text}", "b": 1}}'.encode(),
    "utf-16": lambda text: text.encode("utf-16"),
    "hex": lambda text: text.encode().hex().encode(),
    "HEX": lambda text: text.encode().hex().upper().encode(),
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64 of client:secret": lambda text: base64.b64encode(f"orders:{text}".encode()),
    "base64url in lines": lambda text: "\n".join(
        textwrap.wrap(base64.urlsafe_b64encode(f"x{text}".encode()).decode(), 31)
    ).encode(),
}


@pytest.mark.parametrize("encoding", TEXT_ENCODINGS)
def test_a_secret_text_is_found(encoding: str) -> None:
    needles = Needles()
    secret = secrets.token_urlsafe(32)
    needles.add_text("the secret", secret)
    data = secrets.token_bytes(100) + TEXT_ENCODINGS[encoding](secret) + secrets.token_bytes(100)
    assert needles.found_in(data) == {"the secret"}
    assert needles.found_in(TEXT_ENCODINGS[encoding](secrets.token_urlsafe(32))) == set()


def key_forms(key: PrivateKeyTypes) -> dict[str, bytes]:
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    alg = {rsa.RSAPrivateKey: "RS256", ec.EllipticCurvePrivateKey: "ES256"}
    known = next((alg[kind] for kind in alg if isinstance(key, kind)), "EdDSA")
    assert isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey)
    return {
        "DER": der,
        "PEM": pem,
        "PEM's body in one line": b"".join(pem.splitlines()[1:-1]),
        "a piece of DER": der[: len(der) * 2 // 3],
        "hex of DER": der.hex().encode(),
        "PEM in utf-16": pem.decode().encode("utf-16-le"),
        "JWK": SigningKey(key, known).export_private_jwk(),
    }


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 2048),
        ec.generate_private_key(ec.SECP256R1()),
        ed25519.Ed25519PrivateKey.generate(),
    ],
    ids=["RSA", "P-256", "Ed25519"],
)
def test_a_private_key_is_found_in_every_form(key: PrivateKeyTypes) -> None:
    needles = Needles()
    needles.add_key("the key", key)
    for form, data in key_forms(key).items():
        assert needles.found_in(b"\0" * 50 + data + b"\0" * 50) == {"the key"}, form
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert needles.found_in(public + base64.b64encode(public)) == set()


def test_a_secret_is_found_in_a_database(tmp_path: Path) -> None:
    needles = Needles()
    secret = secrets.token_urlsafe(32)
    needles.add_text("the secret", secret)
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("CREATE TABLE kept (before TEXT, value TEXT)")
        connection.execute("INSERT INTO kept VALUES (?, ?)", ("x" * 5000, secret))
    assert needles.found_in((tmp_path / "x.db").read_bytes()) == {"the secret"}
