"""PKCS #12: archives of other programs are read, with any encryption, and entries are found like in Java."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, pkcs12

from keyturn_credentials.keystores import (
    ArchivePasswords,
    CertificateEntry,
    KeyEntry,
    KeyPairKind,
    write_archive,
)
from keyturn_credentials.keystores.errors import CertificateNotFoundError, KeyMismatchError
from keyturn_shared.keystores import asn1
from keyturn_shared.keystores.errors import (
    AliasAmbiguousError,
    InvalidParameterError,
    MalformedFileError,
    PasswordMissingError,
    UnsupportedAlgorithmError,
    WrongKeyPasswordError,
    WrongStorePasswordError,
)
from keyturn_shared.keystores.pkcs12 import identifiers
from keyturn_shared.keystores.pkcs12.encryption import encrypt
from keyturn_shared.keystores.pkcs12.integrity import make_mac
from keyturn_shared.secret import Secret
from tests.testkit.key_material import (
    JKS,
    KEY,
    NOW,
    PASSWORDS,
    PKCS12,
    STORE,
    certificate,
    chain_of_three,
    counting_octets,
    import_archive,
    key_pair,
)
from tests.testkit.pkcs12_parts import (
    DER,
    algorithm,
    as_ber,
    bag,
    certificate_bag,
    data,
    encrypted_data,
    key_id,
    name,
    pbmac1,
    pfx,
    safe,
    trusted,
)
from tests.testkit.tools import REPOSITORY


@pytest.mark.parametrize("scheme", list(pkcs12.PBES))
@pytest.mark.parametrize("digest", [SHA1, SHA256])
def test_archives_of_another_library_are_imported_with_their_chains(
    scheme: pkcs12.PBES, digest: type[SHA1 | SHA256]
) -> None:
    encryption = (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(1000)
        .key_cert_algorithm(scheme)
        .hmac_hash(digest())
        .build(STORE.reveal().encode())
    )
    leaf, *issuers = chain_of_three()
    archive = pkcs12.serialize_key_and_certificates(
        "Ä client".encode(), key_pair().reveal(), leaf, reversed(issuers), encryption
    )
    assert import_archive(PKCS12, archive, "ä CLIENT", key=STORE).chain == chain_of_three()


def test_what_is_written_here_another_library_opens() -> None:
    entries: list[KeyEntry | CertificateEntry] = [
        KeyEntry("A-Client", key_pair(), chain_of_three()),
        CertificateEntry("Realm", certificate()),
    ]
    archive = write_archive(PKCS12, entries, PASSWORDS, now=NOW)
    opened = pkcs12.load_pkcs12(archive, STORE.reveal().encode())
    assert opened.key is not None
    assert opened.key.public_key() == key_pair().public_key
    assert opened.cert is not None
    assert (opened.cert.certificate, opened.cert.friendly_name) == (chain_of_three()[0], b"A-Client")
    others = {(c.certificate, c.friendly_name) for c in opened.additional_certs}
    assert others == {(c, None) for c in chain_of_three()[1:]} | {(certificate(), b"Realm")}


def test_every_entry_of_several_is_found_by_its_alias() -> None:
    kinds = (KeyPairKind.P_256, KeyPairKind.ED25519, KeyPairKind.RSA_2048)
    entries = [KeyEntry(f"Entry {kind}", key_pair(kind), (certificate(kind),)) for kind in kinds]
    archive = write_archive(PKCS12, [*entries, CertificateEntry("realm", certificate())], PASSWORDS, now=NOW)
    for kind in kinds:
        assert import_archive(PKCS12, archive, f"entry {kind}").chain == (certificate(kind),)
    assert import_archive(PKCS12, archive, "REALM").chain == (certificate(),)
    with pytest.raises(AliasAmbiguousError) as ambiguous:
        import_archive(PKCS12, archive)
    assert ambiguous.value.aliases == (*(entry.alias for entry in entries), "realm")


def test_the_private_key_opens_with_the_store_password_so_another_key_password_is_not_wrong() -> None:
    archive = write_archive(PKCS12, [KeyEntry("a", key_pair(), (certificate(),))], PASSWORDS, now=NOW)
    for key in (KEY, STORE, None, Secret("")):
        assert import_archive(PKCS12, archive, key=key).chain == (certificate(),)


def shrouded_key(password: Secret, kind: KeyPairKind = KeyPairKind.P_256) -> bytes:
    info = key_pair(kind).private_key_info()
    encryption, ciphertext = encrypt(info, password, iterations=10, random_bytes=bytes)
    return asn1.sequence(encryption, asn1.octet_string(ciphertext))


def test_a_key_that_has_a_password_of_its_own_needs_that() -> None:
    key = bag(identifiers.SHROUDED_KEY_BAG, shrouded_key(KEY), name("a"), key_id(b"1"))
    archive = safe(key, certificate_bag(name("a"), key_id(b"1")))
    assert import_archive(PKCS12, archive).chain == (certificate(),)
    with pytest.raises(WrongKeyPasswordError):
        import_archive(PKCS12, archive, key=Secret("another"))


def test_a_private_key_of_another_certificate_is_refused() -> None:
    key = bag(identifiers.SHROUDED_KEY_BAG, shrouded_key(KEY, KeyPairKind.P_384), name("a"))
    with pytest.raises(KeyMismatchError):
        import_archive(PKCS12, safe(key, certificate_bag(name("a"))))


def plain_key(*attributes: bytes) -> bytes:
    return bag(identifiers.KEY_BAG, key_pair().private_key_info(), *attributes)


def other(*attributes: bytes) -> bytes:
    """Make a bag with another certificate."""
    der = certificate(KeyPairKind.P_384, "other").public_bytes(Encoding.DER)
    return certificate_bag(*attributes, der=der)


@pytest.mark.parametrize(
    "bags",
    [
        (plain_key(name("a"), key_id(b"1")), other(name("a"), key_id(b"2")), certificate_bag(key_id(b"1"))),
        (plain_key(name("a")), other(key_id(b"1")), certificate_bag(name("a"))),
        (plain_key(name("a"), key_id(b"1")), other(key_id(b"1")), certificate_bag(name("a"), key_id(b"1"))),
        (plain_key(name("a")), other(name("b"), trusted()), certificate_bag()),
        (plain_key(name("a")), certificate_bag(), other()),
        (bag(identifiers.SAFE_CONTENTS_BAG, asn1.sequence(certificate_bag())), plain_key(name("a"))),
        (
            bag(asn1.oid("1.2.840.113549.1.12.10.1.5"), NULL_BAG := asn1.sequence()),
            plain_key(name("a")),
            certificate_bag(),
        ),
    ],
    ids=["by id", "by name", "by both", "by being unmarked", "by being first", "nested", "beside a secret"],
)
def test_a_key_finds_its_certificate(bags: tuple[bytes, ...]) -> None:
    assert import_archive(PKCS12, safe(*bags), "a").chain == (certificate(),)


def test_a_key_alone_has_no_certificate_to_import() -> None:
    with pytest.raises(CertificateNotFoundError):
        import_archive(PKCS12, safe(plain_key(name("a")), other(name("b"), trusted())), "a")


def test_a_certificate_of_a_kind_that_is_not_x509_is_passed_over() -> None:
    sdsi = asn1.sequence(asn1.object_identifier(asn1.oid("1.2.840.113549.1.9.22.2")), asn1.sequence())
    archive = safe(bag(identifiers.CERTIFICATE_BAG, sdsi), certificate_bag())
    assert import_archive(PKCS12, archive).chain == (certificate(),)


def test_ber_as_bouncy_castle_writes_it_is_read() -> None:
    entries = [KeyEntry("a", key_pair(), chain_of_three())]
    der = write_archive(PKCS12, entries, PASSWORDS, now=NOW)
    assert import_archive(PKCS12, as_ber(der)).chain == chain_of_three()
    inside = as_ber(asn1.sequence(plain_key(name("a")), certificate_bag(name("a"))))
    assert import_archive(PKCS12, as_ber(pfx(as_ber(data(inside))))).chain == (certificate(),)


def test_pbmac1_is_read() -> None:
    content = asn1.sequence(data(asn1.sequence(plain_key(name("a")), certificate_bag(name("a")))))
    archive = asn1.sequence(asn1.integer(3), data(content), pbmac1(content))
    assert pkcs12.load_pkcs12(archive, STORE.reveal().encode()).cert is not None  # so it is valid
    assert import_archive(PKCS12, archive).chain == (certificate(),)
    with pytest.raises(WrongStorePasswordError):
        import_archive(PKCS12, archive, store=Secret("another"))


@pytest.mark.parametrize("length", [None, 1, 19, 65])
def test_pbmac1_with_a_weak_or_huge_key_is_malformed(length: int | None) -> None:
    content = asn1.sequence(data(asn1.sequence(certificate_bag())))
    mac = pbmac1(content, length=length)
    with pytest.raises(MalformedFileError):
        import_archive(PKCS12, asn1.sequence(asn1.integer(3), data(content), mac))


def test_an_archive_that_needs_a_password_says_so() -> None:
    archive = (REPOSITORY / "tests" / "testkit" / "openssl_archives" / "P-256.p12").read_bytes()
    for missing in (None, Secret("")):
        with pytest.raises(PasswordMissingError):
            import_archive(PKCS12, archive, store=missing)
    assert import_archive(PKCS12, safe(certificate_bag()), store=None).chain == (certificate(),)


def test_an_archive_of_a_library_that_writes_no_password_is_imported() -> None:
    """No password is not an empty one (RFC 7292 appendix B.1): its octets lack the terminating zero."""
    content = asn1.sequence(data(asn1.sequence(certificate_bag())))
    mac = make_mac(content, None, iterations=1, random_bytes=counting_octets())
    archive = asn1.sequence(asn1.integer(3), data(content), mac)
    assert import_archive(PKCS12, archive, key=None, store=None).chain == (certificate(),)


def test_a_password_that_is_missing_is_not_taken_for_a_wrong_one_without_a_mac() -> None:
    encryption, ciphertext = encrypt(b"not SafeContents", STORE, iterations=1, random_bytes=counting_octets())
    with pytest.raises(PasswordMissingError):
        import_archive(PKCS12, pfx(encrypted_data(encryption, ciphertext)), store=None)


def test_an_archive_is_read_by_its_content_whatever_it_is_called() -> None:
    entry = KeyEntry("client", key_pair(), (certificate(),))
    for written in (JKS, PKCS12):
        archive = write_archive(written, [entry], PASSWORDS, now=NOW)
        for said in (JKS, PKCS12):
            assert import_archive(said, archive).chain == (certificate(),)


def test_an_algorithm_without_a_name_is_told_by_its_number() -> None:
    unknown = algorithm(asn1.oid("1.2.840.113549.1.12.1.99"), asn1.sequence())
    with pytest.raises(UnsupportedAlgorithmError, match=r"1\.2\.840\.113549\.1\.12\.1\.99"):
        import_archive(PKCS12, pfx(encrypted_data(unknown, b"x" * 16)))


def test_a_password_that_java_could_not_use_is_not_written() -> None:
    entries = [CertificateEntry("a", certificate())]
    for password in ("Пароль", "tab\t", "\x7f"):
        with pytest.raises(InvalidParameterError, match="ASCII"):
            write_archive(PKCS12, entries, ArchivePasswords(Secret(password)), now=NOW)


def test_a_damaged_certificate_is_malformed() -> None:
    with pytest.raises(MalformedFileError):
        import_archive(PKCS12, safe(certificate_bag(der=DER[:-1])))


def test_an_issuer_that_can_not_be_read_is_not_in_the_way() -> None:
    archive = safe(plain_key(name("a")), certificate_bag(name("a")), certificate_bag(der=b"damaged"))
    chain: tuple[x509.Certificate, ...] = import_archive(PKCS12, archive).chain
    assert chain == (certificate(),)
