"""Private keys from files, and what is said about those that cannot be used."""

from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from keyturn import KeyFileError, SigningKey, load_key
from keyturn_shared.jose.algorithms import PrivateKey

ARCHIVES = Path(__file__).parents[4] / "tests" / "testkit" / "openssl_archives"
PASSWORD = "top secret"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(
    key: PrivateKey | x25519.X25519PrivateKey, encryption: KeySerializationEncryption | None = None
) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


@pytest.mark.parametrize(
    ("key", "alg"),
    [
        (RSA, "RS256"),
        (ec.generate_private_key(ec.SECP256R1()), "ES256"),
        (ec.generate_private_key(ec.SECP384R1()), "ES384"),
        (ec.generate_private_key(ec.SECP521R1()), "ES512"),
        (ed25519.Ed25519PrivateKey.generate(), "EdDSA"),
    ],
)
@pytest.mark.parametrize("password", [None, PASSWORD])
def test_a_pem_key_signs_with_the_algorithm_that_fits(
    tmp_path: Path, key: PrivateKey, alg: str, password: str | None
) -> None:
    file = tmp_path / "key.pem"
    encryption = None if password is None else BestAvailableEncryption(password.encode())
    file.write_bytes(pem(key, encryption))
    found = load_key(file, password=password)
    thumbprint = found.verification_key.thumbprint
    assert (found.algorithm, found.kid) == (alg, thumbprint)
    token = jwt.encode({"sub": "orders"}, key, algorithm=alg)
    assert jwt.decode(token, jwt.PyJWK(found.public_jwk).key, algorithms=[alg]) == {"sub": "orders"}
    assert load_key(file, password=password, kid="mine").kid == "mine"


def test_an_rsa_key_may_sign_with_another_algorithm(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(pem(RSA))
    assert load_key(file, algorithm="PS512").algorithm == "PS512"
    with pytest.raises(KeyFileError, match="alg 'ES256' on a key of another type"):
        load_key(file, algorithm="ES256")


def test_a_jwk_has_its_own_algorithm_and_kid(tmp_path: Path) -> None:
    key = SigningKey.generate("ES512", kid="mine")
    file = tmp_path / "key.json"
    file.write_bytes(key.export_private_jwk())
    assert load_key(file).public_jwk == key.public_jwk
    assert load_key(file, kid="mine", algorithm="ES512").kid == "mine"
    with pytest.raises(KeyFileError, match="has its own alg and kid"):
        load_key(file, kid="another")


@pytest.mark.parametrize("name", ["RSA-2048", "P-256", "P-521", "Ed25519", "chain", "aes-128", "no-name"])
def test_an_archive_of_openssl_is_read(name: str) -> None:
    assert load_key(ARCHIVES / f"{name}.p12", password="openssl password").kid


@pytest.mark.parametrize(
    ("content", "password", "told"),
    [
        (b"", None, "cannot be read without a password as PEM, PKCS#12 or a JWK"),
        (b"{", None, "not a private JWK"),
        (b'{"kty": "top secret"}', None, "not a private JWK"),
        (b"top secret", None, "cannot be read"),
        (b"\x30\x03top secret", PASSWORD, "cannot be read with this password"),
        (pem(RSA, BestAvailableEncryption(b"top secret")), None, "is encrypted"),
        (pem(RSA, BestAvailableEncryption(b"top secret")), "wrong", "cannot be read with this password"),
        (pem(RSA), PASSWORD, "is not encrypted, but a password is given"),
        (pem(ec.generate_private_key(ec.SECP256K1())), None, "no signature algorithm"),
        (pem(x25519.X25519PrivateKey.generate()), None, "no signature algorithm"),
        (b"x" * 1_100_000, None, "is longer than"),
    ],
)
def test_what_is_no_private_key_is_refused_and_not_quoted(
    tmp_path: Path, content: bytes, password: str | None, told: str
) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    with pytest.raises(KeyFileError, match=told) as refused:
        load_key(file, password=password)
    assert "secret" not in refused.value.detail
    assert str(file) in refused.value.detail
    assert refused.value.__cause__ is None


def test_an_archive_without_a_key_or_with_another_password_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="has no private key"):
        load_key(ARCHIVES / "certificate-only.p12", password="openssl password")
    with pytest.raises(KeyFileError, match="with this password"):
        load_key(ARCHIVES / "P-256.p12", password="wrong")
    with pytest.raises(KeyFileError, match="cannot be read: No such file"):
        load_key(tmp_path / "none")
