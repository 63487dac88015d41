"""PKCS #12 archives that take too long, use unsupported algorithms, or contradict themselves."""

import pytest

from keyturn_shared.keystores import asn1
from keyturn_shared.keystores.errors import (
    LimitExceededError,
    MalformedFileError,
    UnsupportedAlgorithmError,
    WrongStorePasswordError,
)
from keyturn_shared.keystores.pkcs12 import identifiers, read_pkcs12
from keyturn_shared.keystores.pkcs12.encryption import encrypt
from keyturn_shared.keystores.pkcs12.integrity import make_mac
from tests.testkit.key_material import KEY, STORE
from tests.testkit.pkcs12_parts import (
    DER,
    algorithm,
    bag,
    certificate_bag,
    data,
    encrypted_data,
    name,
    pbes2,
    pbkdf2,
    pfx,
    safe,
)

HUGE = 2**31 - 1


def pbes1(iterations: int, scheme: str = "1.2.840.113549.1.12.1.6", salt: bytes = b"salt") -> bytes:
    return algorithm(asn1.oid(scheme), asn1.sequence(asn1.octet_string(salt), asn1.integer(iterations)))


def mac_data(iterations: int, salt: bytes = b"salt", digest: bytes = identifiers.SHA256) -> bytes:
    return asn1.sequence(
        asn1.sequence(algorithm(digest), asn1.octet_string(bytes(32))),
        asn1.octet_string(salt),
        asn1.integer(iterations),
    )


def under(encryption: bytes) -> bytes:
    """Build a file whose certificates claim this encryption."""
    return pfx(encrypted_data(encryption, bytes(16)))


@pytest.mark.parametrize(
    "archive",
    [
        pfx(data(asn1.sequence()), mac=mac_data(HUGE)),
        pfx(data(asn1.sequence()), mac=mac_data(2**63)),
        pfx(data(asn1.sequence()), mac=mac_data(1, salt=b"s" * 2000)),
        under(pbes2(pbkdf2(HUGE))),
        under(pbes2(pbkdf2(1, salt=b"s" * 2000))),
        under(pbes1(HUGE)),
        under(pbes1(HUGE, "1.2.840.113549.1.12.1.3")),
        under(pbes1(1, salt=b"s" * 2000)),
        pfx(*[encrypted_data(pbes1(250_000), bytes(16))] * 50),
        safe(*[certificate_bag(der=b"")] * 501),
        safe(bag(identifiers.KEY_BAG, asn1.sequence(asn1.octet_string(b"x" * 20_000)))),
        pfx(encrypted_data(pbes1(1), bytes(200_000))),
    ],
    ids=range(12),
)
def test_what_would_take_long_is_refused_before_it_is_begun(archive: bytes) -> None:
    with pytest.raises((LimitExceededError, WrongStorePasswordError)) as refused:
        read_pkcs12(archive, STORE)
    assert isinstance(refused.value, LimitExceededError) or archive.count(asn1.integer(250_000)) == 50


def test_a_key_that_would_take_long_to_open_is_refused() -> None:
    shrouded = asn1.sequence(pbes2(pbkdf2(HUGE)), asn1.octet_string(bytes(32)))
    archive = safe(bag(identifiers.SHROUDED_KEY_BAG, shrouded, name("a")), certificate_bag(name("a")))
    (entry,) = read_pkcs12(archive, STORE)
    assert entry.protected_key is not None
    with pytest.raises(LimitExceededError):
        entry.protected_key.open(KEY)
    assert entry.certificates[0] == DER


@pytest.mark.parametrize(
    "archive",
    [
        under(algorithm(asn1.oid("1.2.840.113549.1.12.1.1"), asn1.sequence())),
        under(pbes2(algorithm(asn1.oid("1.3.6.1.4.1.11591.4.11"), asn1.sequence()))),  # scrypt
        under(pbes2(pbkdf2(), cipher=asn1.oid("2.16.840.1.101.3.4.1.46"))),  # AES-256 in GCM
        under(pbes2(pbkdf2().replace(identifiers.HMAC_SHA256, asn1.oid("1.2.840.113549.2.99")))),
        pfx(data(asn1.sequence()), mac=mac_data(1, digest=asn1.oid("1.2.840.113549.2.5"))),  # MD5
        pfx(asn1.sequence(asn1.object_identifier(asn1.oid("1.2.840.113549.1.7.3")))),  # enveloped
        asn1.sequence(
            asn1.integer(3), asn1.sequence(asn1.object_identifier(asn1.oid("1.2.840.113549.1.7.2")))
        ),
    ],
    ids=range(7),
)
def test_what_is_not_known_here_is_said_not_to_be(archive: bytes) -> None:
    with pytest.raises(UnsupportedAlgorithmError):
        read_pkcs12(archive, STORE)


@pytest.mark.parametrize(
    "archive",
    [
        pfx(data(b"")),
        pfx(data(asn1.integer(1))),
        safe(asn1.integer(1)),
        safe(certificate_bag(asn1.integer(1))),
        safe(
            certificate_bag(
                asn1.sequence(asn1.object_identifier(identifiers.FRIENDLY_NAME), NULL := asn1.integer(0))
            )
        ),
        safe(certificate_bag(name("a").replace(b"\0a", b"\xd8\0"))),
        pfx(encrypted_data(pbes2(pbkdf2()), bytes(16), version=1)),
        under(pbes2(pbkdf2(0))),
        under(pbes2(pbkdf2(length=16))),
        under(pbes2(pbkdf2(), vector=bytes(8))),
        pfx(encrypted_data(pbes2(pbkdf2()), bytes(15))),
        pfx(data(asn1.sequence()), mac=mac_data(0)),
    ],
    ids=range(12),
)
def test_an_archive_that_contradicts_itself_is_malformed(archive: bytes) -> None:
    with pytest.raises(MalformedFileError):
        read_pkcs12(archive, STORE)


def test_certificates_under_another_password_than_the_mac_are_no_mistake_of_the_caller() -> None:
    bags = asn1.sequence(certificate_bag())
    content = asn1.sequence(encrypted_data(*encrypt(bags, KEY, iterations=1, random_bytes=bytes)))
    mac = make_mac(content, STORE, iterations=1, random_bytes=bytes)
    with pytest.raises(MalformedFileError, match="not its encrypted contents"):
        read_pkcs12(asn1.sequence(asn1.integer(3), data(content), mac), STORE)
