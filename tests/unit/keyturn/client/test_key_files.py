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
from hypothesis import given, settings
from hypothesis import strategies as st

from keyturn import KeyFileError, SigningKey, load_key
from keyturn.client.key_archives import key_in_archive
from keyturn_credentials.keystores import (
    ArchivePasswords,
    CertificateEntry,
    KeyEntry,
    KeyPairKind,
    KeyStoreFormat,
    write_archive,
)
from keyturn_shared.jose.algorithms import PrivateKey
from keyturn_shared.keystores.errors import KeyStoreError
from keyturn_shared.keystores.jks.key_protector import protect
from keyturn_shared.keystores.jks.layout import DIGEST_BYTES, store_digest
from keyturn_shared.secret import Secret
from tests.testkit import jks_parts
from tests.testkit.key_material import JKS, KEY, NOW, PKCS12, STORE, certificate, counting_octets, key_pair

ARCHIVES = Path(__file__).parents[4] / "tests" / "testkit" / "openssl_archives"
PASSWORD = "top secret"
SAME_PASSWORD = ArchivePasswords(store=Secret(PASSWORD), key=Secret(PASSWORD))
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
        (b"", None, "cannot be read without a password as PEM, PKCS#12, JKS or a JWK"),
        (b"{", None, "not a private JWK"),
        (b'{"kty": "top secret"}', None, "not a private JWK"),
        (b"top secret", None, "cannot be read"),
        (b"\x30\x03top secret", PASSWORD, "an ASN.1 length past the end"),
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
    with pytest.raises(KeyFileError, match="the store password is wrong"):
        load_key(ARCHIVES / "P-256.p12", password="wrong")
    with pytest.raises(KeyFileError, match="the archive needs its store password"):
        load_key(ARCHIVES / "P-256.p12")
    with pytest.raises(KeyFileError, match="cannot be read: No such file"):
        load_key(tmp_path / "none")


@pytest.mark.parametrize("archive_format", [JKS, PKCS12])
def test_a_key_of_several_in_an_archive_is_found_by_its_alias(
    tmp_path: Path, archive_format: KeyStoreFormat
) -> None:
    kinds = (KeyPairKind.RSA_2048, KeyPairKind.P_384, KeyPairKind.ED25519)
    file = tmp_path / "keys"
    entries = [KeyEntry(f"of-{kind}", key_pair(kind), (certificate(kind),)) for kind in kinds]
    realm = CertificateEntry("realm", certificate())
    file.write_bytes(write_archive(archive_format, [realm, *entries], SAME_PASSWORD, now=NOW))
    found = [load_key(file, password=PASSWORD, alias=entry.alias.upper()) for entry in entries]
    assert [key.algorithm for key in found] == ["RS256", "ES384", "EdDSA"]
    assert [key.verification_key.public_key for key in found] == [
        each.key_pair.public_key for each in entries
    ]
    listed = ", ".join(
        repr(entry.alias.lower() if archive_format is JKS else entry.alias) for entry in entries
    )
    for alias, told in ((None, "no alias was specified"), ("realm", "no entries are called 'realm'")):
        with pytest.raises(KeyFileError) as refused:
            load_key(file, password=PASSWORD, alias=alias)
        assert refused.value.detail == f"{file}: {told}; the archive has: {listed}"


@pytest.mark.parametrize("archive_format", [JKS, PKCS12])
def test_the_only_key_of_an_archive_needs_no_alias(tmp_path: Path, archive_format: KeyStoreFormat) -> None:
    file = tmp_path / "keys"
    realm, orders = CertificateEntry("realm", certificate()), KeyEntry("orders", key_pair(), (certificate(),))
    file.write_bytes(write_archive(archive_format, [realm, orders], SAME_PASSWORD, now=NOW))
    key = load_key(file, password=PASSWORD, kid="mine", algorithm="ES256")
    assert (key.kid, key.verification_key.public_key) == ("mine", key_pair().public_key)


def test_a_key_in_jks_may_have_a_password_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "keys.jks"
    passwords = ArchivePasswords(store=Secret(PASSWORD), key=Secret("another"))
    file.write_bytes(
        write_archive(JKS, [KeyEntry("orders", key_pair(), (certificate(),))], passwords, now=NOW)
    )
    assert load_key(file, password=PASSWORD, key_password="another").algorithm == "ES256"
    for passwords_given, told in (
        ({"password": PASSWORD}, "the key 'orders' has a password of its own, and none is given"),
        ({"password": PASSWORD, "key_password": "wrong"}, "the key password does not open the private key"),
        ({"password": "another"}, "the store password is wrong, or the archive is damaged"),
        ({}, "the archive needs its store password"),
    ):
        with pytest.raises(KeyFileError) as refused:
            load_key(file, **passwords_given)
        assert refused.value.detail == f"{file}: {told}"
        assert refused.value.__cause__ is None


def test_an_archive_without_a_key_or_of_jceks_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "keys.jks"
    file.write_bytes(write_archive(JKS, [CertificateEntry("realm", certificate())], SAME_PASSWORD, now=NOW))
    with pytest.raises(KeyFileError, match="the archive has no private key"):
        load_key(file, password=PASSWORD)
    file.write_bytes(bytes.fromhex("cececece") + bytes(100))
    with pytest.raises(KeyFileError, match=r"is JCEKS, .* -srcstoretype JCEKS -destkeystore .*keys\.p12"):
        load_key(file, password=PASSWORD)


def test_a_key_that_is_none_is_refused_without_quoting_it(tmp_path: Path) -> None:
    file = tmp_path / "keys.jks"
    protected = protect(b"top secret", STORE, counting_octets())
    file.write_bytes(jks_parts.archive(jks_parts.key_entry(protected)))
    with pytest.raises(KeyFileError, match="cannot be read with this password") as refused:
        load_key(file, password=STORE.reveal())
    assert "top secret" not in refused.value.detail


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 255))
def test_a_damaged_jks_under_the_right_password_is_refused_or_gives_its_key(
    position: int, change: int
) -> None:
    whole = jks_parts.archive(jks_parts.key_entry(jks_parts.protected_key(), jks_parts.DER))
    content = bytearray(whole[:-DIGEST_BYTES])
    content[position % len(content)] ^= change
    archive = bytes(content) + store_digest(STORE, bytes(content))
    try:
        key = key_in_archive(archive, password=STORE.reveal(), key_password=KEY.reveal(), alias=None)
    except KeyStoreError:
        return
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.public_key() == key_pair().public_key
