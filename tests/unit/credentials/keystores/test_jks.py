"""JKS: its bytes, its passwords, its limits. The integration tests show that Java agrees."""

import hashlib

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from keyturn_credentials.keystores import (
    ArchivePasswords,
    CertificateEntry,
    KeyEntry,
    KeyPairKind,
    asn1,
    write_archive,
)
from keyturn_credentials.keystores.errors import (
    CertificateNotFoundError,
    KeyMismatchError,
    LimitExceededError,
    MalformedFileError,
    PasswordMissingError,
    UnsupportedAlgorithmError,
    WrongKeyPasswordError,
    WrongStorePasswordError,
)
from keyturn_credentials.keystores.jks.key_protector import protect
from keyturn_credentials.keystores.jks.layout import DIGEST_BYTES, decode_text, encode_text, store_digest
from keyturn_shared.secret import Secret
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

DER = certificate().public_bytes(Encoding.DER)


def number(value: int, size: int = 4) -> bytes:
    return value.to_bytes(size, "big")


def text(value: str) -> bytes:
    octets = encode_text(value)
    return number(len(octets), 2) + octets


def archive(*entries: bytes, count: int | None = None, version: int = 2) -> bytes:
    """Build a JKS file of these entries, with a valid digest."""
    head = bytes.fromhex("feedfeed") + number(version)
    content = head + number(len(entries) if count is None else count) + b"".join(entries)
    return content + store_digest(STORE, content)


def certificate_entry(alias: str = "a", der: bytes = DER, kind: str = "X.509") -> bytes:
    return number(2) + text(alias) + number(0, 8) + text(kind) + number(len(der)) + der


def key_entry(protected: bytes, *chain: bytes, alias: str = "a", certificates: int | None = None) -> bytes:
    count = number(len(chain) if certificates is None else certificates)
    certs = b"".join(text("X.509") + number(len(der)) + der for der in chain)
    return number(1) + text(alias) + number(0, 8) + number(len(protected)) + protected + count + certs


def protected_key(kind: KeyPairKind = KeyPairKind.P_256) -> bytes:
    return protect(key_pair(kind).private_key_info(), KEY, counting_octets())


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


def test_a_key_is_protected_as_sun_does_it() -> None:
    info = asn1.Reader(protect(b"private key info", Secret("pw"), counting_octets())).sequence()
    assert info.expect(asn1.SEQUENCE).hex() == "060a2b060104012a021101010500"
    octets = info.octets()
    password, salt = "pw".encode("utf-16-be"), bytes(range(20))
    stream = hashlib.sha1(password + salt).digest()
    assert octets[:20] == salt
    assert octets[20:-20] == bytes(a ^ b for a, b in zip(b"private key info", stream, strict=False))
    assert octets[-20:] == hashlib.sha1(password + b"private key info").digest()


@pytest.mark.parametrize(
    ("value", "encoded"),
    [("ascii", "6173636969"), ("ä€", "c3a4e282ac"), ("\0", "c080"), ("😀", "eda0bdedb880")],
)
def test_texts_are_in_javas_modified_utf8(value: str, encoded: str) -> None:
    assert encode_text(value).hex() == encoded
    assert decode_text(bytes.fromhex(encoded)) == value


@pytest.mark.parametrize("encoded", ["ff", "c3", "eda0bd", "edb880eda0bd", "e282"])
def test_what_is_not_modified_utf8_is_malformed(encoded: str) -> None:
    with pytest.raises(MalformedFileError):
        decode_text(bytes.fromhex(encoded))


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


def test_version_1_has_certificates_without_a_type() -> None:
    entry = number(2) + text("a") + number(0, 8) + number(len(DER)) + DER
    assert import_archive(JKS, archive(entry, version=1)).chain == (certificate(),)


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(UnsupportedAlgorithmError, match="version 3"):
        import_archive(JKS, archive(certificate_entry(), version=3))


def test_a_certificate_of_another_type_is_refused() -> None:
    with pytest.raises(UnsupportedAlgorithmError, match=r"X\.510"):
        import_archive(JKS, archive(certificate_entry(kind="X.510")))


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


def test_another_encryption_of_the_key_is_refused() -> None:
    info = asn1.sequence(
        asn1.sequence(asn1.object_identifier(asn1.oid("1.2.3"))), asn1.octet_string(b"x" * 60)
    )
    with pytest.raises(UnsupportedAlgorithmError):
        import_archive(JKS, archive(key_entry(info, DER)))


@pytest.mark.parametrize(
    "data",
    [
        archive(count=1),
        archive(certificate_entry(), count=0),
        archive(certificate_entry(), b"\0"),
        archive(certificate_entry()[:-1]),
        archive(certificate_entry() + b"\0", count=1),
        archive(number(3) + certificate_entry()[4:]),
        archive(certificate_entry(der=b"\x30\0")),
        archive(certificate_entry(der=b"")),
        archive(key_entry(b"\x30\x80", DER)),
        archive(key_entry(asn1.sequence(asn1.integer(1)), DER)),
    ],
    ids=range(10),
)
def test_an_archive_that_contradicts_itself_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedFileError):
        import_archive(JKS, data)


@pytest.mark.parametrize(
    "data",
    [
        archive(count=2**32 - 1),
        archive(count=501),
        archive(key_entry(protected_key(), DER, certificates=2**31)),
        archive(key_entry(protected_key(), DER, certificates=21)),
        archive(key_entry(b"x" * 20_000, DER)),
    ],
    ids=range(5),
)
def test_counts_and_sizes_have_limits_that_are_looked_at_first(data: bytes) -> None:
    with pytest.raises(LimitExceededError):
        import_archive(JKS, data)
