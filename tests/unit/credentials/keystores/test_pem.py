"""Certificate PEM and Public Key PEM, in all forms that people paste."""

import base64
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from keyturn_credentials.keystores import (
    ImportedCertificate,
    ImportedPublicKey,
    KeyPairKind,
    KeyStoreFormat,
    certificate_body,
    import_credentials,
)
from keyturn_credentials.keystores.certificates import load_certificate
from keyturn_credentials.keystores.errors import (
    BrokenChainError,
    OtherFormatError,
    PrivateKeyPresentError,
    WeakKeyError,
)
from keyturn_credentials.keystores.pem import body
from keyturn_shared.keystores.errors import LimitExceededError, MalformedFileError, UnsupportedAlgorithmError
from tests.testkit.key_material import NOW, certificate, chain_of_three, issued, key_pair, pem
from tests.testkit.weak_certificates import RSA_1024

Read = Callable[[bytes], object]


def import_certificate(data: bytes) -> ImportedCertificate:
    imported = import_credentials(KeyStoreFormat.CERTIFICATE_PEM, data, now=NOW)
    assert isinstance(imported, ImportedCertificate)
    return imported


def import_public_key(data: bytes) -> ImportedPublicKey:
    imported = import_credentials(KeyStoreFormat.PUBLIC_KEY_PEM, data, now=NOW)
    assert isinstance(imported, ImportedPublicKey)
    return imported


def public_pem(kind: KeyPairKind = KeyPairKind.P_256) -> bytes:
    return key_pair(kind).public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def private_pem(kind: KeyPairKind, form: PrivateFormat, password: bytes | None = None) -> bytes:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key_pair(kind).reveal().private_bytes(Encoding.PEM, form, encryption)


@pytest.mark.parametrize("kind", KeyPairKind)
def test_certificates_and_public_keys_of_every_kind_are_imported(kind: KeyPairKind) -> None:
    imported = import_certificate(pem([certificate(kind)]))
    assert imported.chain == (certificate(kind),)
    assert imported.public_key == key_pair(kind).public_key
    assert imported.representation == {"certificate": certificate_body(certificate(kind))}
    key = import_public_key(public_pem(kind))
    assert key.public_key == key_pair(kind).public_key
    spki = key_pair(kind).public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert key.representation == {"publicKey": base64.b64encode(spki).decode()}


@pytest.mark.parametrize(
    "spelling",
    [
        lambda text: text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: text.replace("\n", ""),
        lambda text: text.replace("\n", " "),
        lambda text: text.rstrip(),
        lambda text: "\ufeff" + text,
        lambda text: "\n\n  " + text,
        lambda text: "Subject: CN=ä-client\nanything - at - all\n" + text + "and more",
        lambda text: "\n".join(text.splitlines()[1:-1]),
        lambda text: "".join(text.splitlines()[1:-1]),
        lambda text: text.replace("CERTIFICATE", "X509 CERTIFICATE"),
    ],
)
def test_a_certificate_is_imported_however_it_was_pasted(spelling: Callable[[str], str]) -> None:
    text = spelling(pem([certificate()]).decode())
    assert import_certificate(text.encode()).chain == (certificate(),)


def test_keycloaks_bare_form_is_imported_and_given_back() -> None:
    bare = certificate_body(certificate())
    assert import_certificate(bare.encode()).representation == {"certificate": bare}
    bare_key = body(key_pair().public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    assert import_public_key(bare_key.encode()).representation == {"publicKey": bare_key}


def test_a_chain_is_imported_leaf_first_in_whatever_order_it_came() -> None:
    assert import_certificate(pem(chain_of_three())).chain == chain_of_three()
    assert import_certificate(pem(reversed(chain_of_three()))).chain == chain_of_three()


def test_two_certificates_that_are_no_chain_are_refused() -> None:
    with pytest.raises(BrokenChainError):
        import_certificate(pem([certificate(), certificate(subject="another")]))


def test_a_certificate_or_public_key_in_der_is_imported() -> None:
    """Some tools write DER by default; Keycloak accepts PEM only."""
    der = certificate().public_bytes(Encoding.DER)
    assert import_certificate(der).chain == (certificate(),)
    key = key_pair().public_key
    assert (
        import_public_key(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).public_key == key
    )


def test_a_public_key_of_pkcs1_is_imported() -> None:
    data = key_pair(KeyPairKind.RSA_2048).public_key.public_bytes(Encoding.PEM, PublicFormat.PKCS1)
    assert import_public_key(data).public_key == key_pair(KeyPairKind.RSA_2048).public_key


PRIVATE_KEYS: dict[str, Callable[[], bytes]] = {
    "PKCS #8": lambda: private_pem(KeyPairKind.P_256, PrivateFormat.PKCS8),
    "SEC 1": lambda: private_pem(KeyPairKind.P_256, PrivateFormat.TraditionalOpenSSL),
    "PKCS #1": lambda: private_pem(KeyPairKind.RSA_2048, PrivateFormat.TraditionalOpenSSL),
    "encrypted": lambda: private_pem(KeyPairKind.ED25519, PrivateFormat.PKCS8, b"password"),
    "OpenSSH": lambda: private_pem(KeyPairKind.ED25519, PrivateFormat.OpenSSH),
    "after a certificate": lambda: pem([certificate()]) + private_pem(KeyPairKind.P_256, PrivateFormat.PKCS8),
    "after a public key": lambda: public_pem() + private_pem(KeyPairKind.P_256, PrivateFormat.PKCS8),
    "bare PKCS #1": lambda: key_pair(KeyPairKind.RSA_2048).private_key_body.reveal().encode(),
    "bare SEC 1": lambda: key_pair(KeyPairKind.P_521).private_key_body.reveal().encode(),
    "bare PKCS #8": lambda: body(key_pair(KeyPairKind.ED25519).private_key_info()).encode(),
    "binary": lambda: key_pair(KeyPairKind.RSA_2048).private_key_info(),
}


@pytest.mark.parametrize("read", [import_certificate, import_public_key])
@pytest.mark.parametrize("form", PRIVATE_KEYS)
def test_a_private_key_is_refused_without_being_shown(read: Read, form: str) -> None:
    with pytest.raises(PrivateKeyPresentError) as refused:
        read(PRIVATE_KEYS[form]())
    assert len(refused.value.detail) < 100


OTHER_FILES: dict[str, tuple[Read, Callable[[], bytes], str]] = {
    "a public key for a certificate": (import_certificate, public_pem, "PEM of 'PUBLIC KEY'"),
    "a certificate for a public key": (
        import_public_key,
        lambda: pem([certificate()]),
        "PEM of 'CERTIFICATE'",
    ),
    "a request": (
        import_certificate,
        lambda: b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----",
        "PEM of 'CERTIFICATE REQUEST'",
    ),
    "a public key under a certificate's label": (
        import_certificate,
        lambda: public_pem().replace(b"PUBLIC KEY", b"CERTIFICATE"),
        "looks like a public key",
    ),
    "a certificate under a public key's label": (
        import_public_key,
        lambda: pem([certificate()]).replace(b"CERTIFICATE", b"PUBLIC KEY"),
        "looks like an X.509 certificate",
    ),
    "JSON": (import_certificate, lambda: b'{"keys": []}', "looks like JSON"),
    "JKS": (import_certificate, lambda: bytes.fromhex("feedfeed") + b"\0" * 30, "a JKS archive"),
    "text": (import_certificate, lambda: b"hello world", "an unknown format"),
    "UTF-16": (import_certificate, lambda: b"\xff\xfe\0\1", "an unknown format"),
    "base64 of nothing": (import_certificate, lambda: b"AAAA", "an unknown format"),
    "a damaged certificate in DER": (
        import_certificate,
        lambda: certificate().public_bytes(Encoding.DER)[:-1],
        "damaged",
    ),
    "a damaged certificate": (
        import_certificate,
        lambda: pem([certificate()]).replace(b"\nMIIB", b"\nMIJB", 1),
        "damaged",
    ),
}


@pytest.mark.parametrize("name", OTHER_FILES)
def test_a_file_of_another_format_is_said_to_be_one(name: str) -> None:
    read, make, looks = OTHER_FILES[name]
    with pytest.raises(OtherFormatError, match=looks):
        read(make())


@pytest.mark.parametrize(
    "data",
    [
        b"-----BEGIN CERTIFICATE-----\nMIIB",
        b"-----BEGIN CERTIFICATE-----\nMI*B\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\nMI\xc3\xa4B\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END PUBLIC KEY-----",
        b"-----BEGIN " + b"X" * 100,
    ],
)
def test_damaged_pem_is_malformed(data: bytes) -> None:
    for read in (import_certificate, import_public_key):
        with pytest.raises((MalformedFileError, OtherFormatError)):
            read(data)


def test_two_public_keys_are_one_too_many() -> None:
    with pytest.raises(MalformedFileError, match="2 public keys"):
        import_public_key(public_pem() * 2)


def test_a_weak_public_key_is_refused() -> None:
    key = load_certificate(RSA_1024).public_key()
    with pytest.raises(WeakKeyError, match="the public key: weak: RSA of 1024 bits"):
        import_public_key(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def test_a_key_of_a_kind_that_signs_no_tokens_is_refused() -> None:
    key = dsa.generate_private_key(1024).public_key()
    with pytest.raises(UnsupportedAlgorithmError, match="DSA"):
        import_public_key(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def test_more_certificates_than_a_chain_has_are_refused_before_they_are_read() -> None:
    block = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    for number in (21, 501):
        with pytest.raises(LimitExceededError):
            import_certificate(block * number)


def test_certificates_of_one_name_do_not_take_long() -> None:
    same = [issued("one name", "one name", number=i % 3, issuer_number=(i + 1) % 3) for i in range(20)]
    with pytest.raises((LimitExceededError, BrokenChainError)):
        import_certificate(pem(same))
