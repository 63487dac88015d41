"""JKS: its bytes, its passwords, its limits. The integration tests show that Java agrees."""

import hashlib

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from keyturn_credentials.keystores import (
    ArchivePasswords,
    CertificateEntry,
    KeyEntry,
    KeyPairKind,
    write_archive,
)
from keyturn_credentials.keystores.errors import CertificateNotFoundError, KeyMismatchError
from keyturn_shared.keystores.errors import (
    MalformedFileError,
    PasswordMissingError,
    WrongKeyPasswordError,
    WrongStorePasswordError,
)
from keyturn_shared.keystores.jks.key_protector import protect
from keyturn_shared.keystores.jks.layout import DIGEST_BYTES, store_digest
from keyturn_shared.secret import Secret
from tests.testkit.jks_parts import DER, archive, certificate_entry, key_entry, number, protected_key
from tests.testkit.key_material import (
    JKS,
    KEY,
    NOW,
    PASSWORDS,
    STORE,
    certificate,
    chain_of_three,
    counting_octets,
    import_archive,
    key_pair,
)


def test_the_layout_is_that_of_suns_jks() -> None:
    data = write_archive(
        JKS, [CertificateEntry("Realm", certificate())], PASSWORDS, now=NOW, random_bytes=counting_octets()
    )
    moment = number(int(NOW.timestamp()) * 1000, 8)
    content = (
        bytes.fromhex("feedfeed 00000002 00000001 00000002 0005")
        + b"realm"
        + moment
        + b"\0\5X.509"
        + number(len(DER))
        + DER
    )
    password = "store password".encode("utf-16-be")
    assert data == content + hashlib.sha1(password + b"Mighty Aphrodite" + content).digest()


def test_a_key_password_apart_from_the_store_password_opens_the_key() -> None:
    entries = [KeyEntry("A-Client", key_pair(), (certificate(),))]
    data = write_archive(JKS, entries, PASSWORDS, now=NOW)
    assert import_archive(JKS, data, "A-Client").chain == (certificate(),)
    assert import_archive(JKS, data, "a-client", key=None).chain == (certificate(),)
    for wrong in (STORE, Secret("key passworD")):
        with pytest.raises(WrongKeyPasswordError):
            import_archive(JKS, data, key=wrong)


@pytest.mark.parametrize("wrong", [KEY, Secret("store passwor"), Secret("Store password")])
def test_a_wrong_store_password_is_told_from_a_wrong_key_password(wrong: Secret) -> None:
    data = write_archive(JKS, [KeyEntry("a", key_pair(), (certificate(),))], PASSWORDS, now=NOW)
    with pytest.raises(WrongStorePasswordError):
        import_archive(JKS, data, store=wrong)


@pytest.mark.parametrize("missing", [None, Secret("")])
def test_an_archive_with_an_empty_password_needs_none(missing: Secret | None) -> None:
    passwords = ArchivePasswords(store=Secret(""), key=KEY)
    with pytest.raises(PasswordMissingError):  # nothing is written
        write_archive(JKS, [KeyEntry("a", key_pair(), (certificate(),))], passwords, now=NOW)
    content = archive(certificate_entry())[:-DIGEST_BYTES]
    data = content + store_digest(Secret(""), content)
    assert import_archive(JKS, data, key=None, store=missing).chain == (certificate(),)


@pytest.mark.parametrize("missing", [None, Secret("")])
def test_a_store_password_is_needed(missing: Secret | None) -> None:
    with pytest.raises(PasswordMissingError):
        import_archive(JKS, archive(certificate_entry()), store=missing)


def test_passwords_may_hold_any_character() -> None:
    passwords = ArchivePasswords(store=Secret("Пароль 😀"), key=Secret("密码\0"))
    data = write_archive(JKS, [KeyEntry("a", key_pair(), (certificate(),))], passwords, now=NOW)
    assert import_archive(JKS, data, key=passwords.key, store=passwords.store).chain == (certificate(),)


def test_the_chain_of_an_entry_is_imported() -> None:
    data = write_archive(JKS, [KeyEntry("a", key_pair(), chain_of_three())], PASSWORDS, now=NOW)
    assert import_archive(JKS, data).chain == chain_of_three()


def test_a_private_key_of_another_certificate_is_refused() -> None:
    for kind in (KeyPairKind.P_384, KeyPairKind.RSA_2048, KeyPairKind.ED25519):
        data = archive(key_entry(protected_key(kind), DER))
        with pytest.raises(KeyMismatchError, match="CN=a-client"):
            import_archive(JKS, data)
        assert import_archive(JKS, data, key=None).chain == (certificate(),)
    other_rsa = certificate(KeyPairKind.RSA_3072).public_bytes(Encoding.DER)
    with pytest.raises(KeyMismatchError):
        import_archive(JKS, archive(key_entry(protected_key(KeyPairKind.RSA_2048), other_rsa)))


def test_something_else_than_a_key_under_the_key_password_is_refused() -> None:
    with pytest.raises(WrongKeyPasswordError):
        import_archive(JKS, archive(key_entry(protect(b"no key", KEY, counting_octets()), DER)))


def test_an_entry_without_a_certificate_has_none_to_import() -> None:
    with pytest.raises(CertificateNotFoundError, match="'a' has a key, but no certificate"):
        import_archive(JKS, archive(key_entry(protected_key())))


def test_an_empty_archive_has_nothing_to_import() -> None:
    with pytest.raises(CertificateNotFoundError):
        import_archive(JKS, archive())


@pytest.mark.parametrize("der", [b"\x30\0", b""])
def test_a_damaged_certificate_is_malformed(der: bytes) -> None:
    with pytest.raises(MalformedFileError):
        import_archive(JKS, archive(certificate_entry(der=der)))
