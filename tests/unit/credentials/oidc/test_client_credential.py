"""Keys for the token endpoint."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from keyturn_credentials.oidc.client_credential import read_client_key
from keyturn_shared.errors import ConfigurationError

PrivateKey = (
    rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
)
PLAIN = NoEncryption()


def pem_of(key: PrivateKey, encryption: KeySerializationEncryption = PLAIN) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


@pytest.mark.parametrize(
    ("key", "alg"),
    [
        (rsa.generate_private_key(65537, 2048), "RS256"),
        (ec.generate_private_key(ec.SECP256R1()), "ES256"),
        (ec.generate_private_key(ec.SECP384R1()), "ES384"),
        (ed25519.Ed25519PrivateKey.generate(), "EdDSA"),
    ],
    ids=["RSA", "P-256", "P-384", "Ed25519"],
)
def test_a_key_signs_with_the_algorithm_of_its_kind(key: PrivateKey, alg: str) -> None:
    credential = read_client_key(pem_of(key))
    assert credential.key.algorithm == alg
    first, second = (credential.authenticate("me", "https://idp.example/token", 5.0).form for _ in "ab")
    assert first["client_id"] == "me"
    assert first["client_assertion"] != second["client_assertion"]


@pytest.mark.parametrize(
    ("pem", "words"),
    [
        ("", "not a private key in PEM"),
        ("secret words", "not a private key in PEM"),
        (
            pem_of(ec.generate_private_key(ec.SECP256R1()), BestAvailableEncryption(b"secret words")),
            "without a password",
        ),
        (pem_of(ec.generate_private_key(ec.SECP256K1())), "cannot be used"),
        (pem_of(ed448.Ed448PrivateKey.generate()), "neither RSA, EC nor Ed25519"),
        (pem_of(rsa.generate_private_key(65537, 1024)), "cannot be used"),
    ],
    ids=["empty", "text", "encrypted", "secp256k1", "Ed448", "weak"],
)
def test_another_key_is_refused_without_showing_it(pem: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as refused:
        read_client_key(pem)
    assert "secret words" not in str(refused.value)
