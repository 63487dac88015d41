"""JKS: its layout, its protection of keys, its limits."""

import hashlib

import pytest

from keyturn_shared.keystores import asn1
from keyturn_shared.keystores.errors import (
    LimitExceededError,
    MalformedFileError,
    PasswordMissingError,
    UnsupportedAlgorithmError,
    WrongKeyPasswordError,
    WrongStorePasswordError,
)
from keyturn_shared.keystores.jks import read_jks
from keyturn_shared.keystores.jks.key_protector import protect
from keyturn_shared.keystores.jks.layout import DIGEST_BYTES, decode_text, encode_text, store_digest
from keyturn_shared.secret import Secret
from tests.testkit.jks_parts import DER, archive, certificate_entry, key_entry, number, protected_key, text
from tests.testkit.key_material import KEY, STORE, counting_octets, key_pair


def test_a_key_opens_with_its_own_password_only() -> None:
    (entry,) = read_jks(archive(key_entry(protected_key(), DER, alias="client")), STORE)
    assert (entry.alias, entry.certificates) == ("client", (DER,))
    assert entry.protected_key is not None
    assert entry.protected_key.open(KEY) == key_pair().private_key_info()
    with pytest.raises(WrongKeyPasswordError):
        entry.protected_key.open(STORE)


def test_no_password_is_tried_as_an_empty_one() -> None:
    data = archive(certificate_entry())
    with pytest.raises(PasswordMissingError):
        read_jks(data, None)
    with pytest.raises(WrongStorePasswordError):
        read_jks(data, Secret(""))
    content = data[:-DIGEST_BYTES]
    assert len(read_jks(content + store_digest(Secret(""), content), None)) == 1


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


def test_version_1_has_certificates_without_a_type() -> None:
    entry = number(2) + text("a") + number(0, 8) + number(len(DER)) + DER
    (read,) = read_jks(archive(entry, version=1), STORE)
    assert read.certificates == (DER,)


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(UnsupportedAlgorithmError, match="version 3"):
        read_jks(archive(certificate_entry(), version=3), STORE)


def test_a_certificate_of_another_type_is_refused() -> None:
    with pytest.raises(UnsupportedAlgorithmError, match=r"X\.510"):
        read_jks(archive(certificate_entry(kind="X.510")), STORE)


def test_another_encryption_of_the_key_is_refused() -> None:
    info = asn1.sequence(
        asn1.sequence(asn1.object_identifier(asn1.oid("1.2.3"))), asn1.octet_string(b"x" * 60)
    )
    with pytest.raises(UnsupportedAlgorithmError):
        read_jks(archive(key_entry(info, DER)), STORE)


@pytest.mark.parametrize(
    "data",
    [
        archive(count=1),
        archive(certificate_entry(), count=0),
        archive(certificate_entry(), b"\0"),
        archive(certificate_entry()[:-1]),
        archive(certificate_entry() + b"\0", count=1),
        archive(number(3) + certificate_entry()[4:]),
        archive(key_entry(b"\x30\x80", DER)),
        archive(key_entry(asn1.sequence(asn1.integer(1)), DER)),
    ],
    ids=range(8),
)
def test_an_archive_that_contradicts_itself_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedFileError):
        read_jks(data, STORE)


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
        read_jks(data, STORE)
