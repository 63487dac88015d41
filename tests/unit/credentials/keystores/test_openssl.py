"""OpenSSL's PKCS #12 archives (see their ``make.sh``) are imported, whatever they contain."""

from datetime import UTC, datetime

import pytest

from keyturn_credentials.keystores import KeyPairKind, KeyStoreFormat
from keyturn_shared.keystores.errors import (
    UnsupportedAlgorithmError,
    WrongKeyPasswordError,
    WrongStorePasswordError,
)
from keyturn_shared.keystores.pkcs12.algorithm_names import CONVERSION, CONVERT
from keyturn_shared.secret import Secret
from tests.testkit.key_material import JKS, PKCS12, import_archive
from tests.testkit.tools import REPOSITORY

OPENSSL = REPOSITORY / "tests" / "testkit" / "openssl_archives"
OPENSSL_PASSWORD = Secret("openssl password")
MADE_LATER = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("kind", [kind.value for kind in KeyPairKind])
def test_openssls_archives_of_every_kind_of_key_are_imported(kind: str) -> None:
    archive = (OPENSSL / f"{kind}.p12").read_bytes()
    imported = import_archive(PKCS12, archive, kind, key=OPENSSL_PASSWORD, store=OPENSSL_PASSWORD)
    assert imported.chain[0].subject.rfc4514_string() == f"CN={kind}"


@pytest.mark.parametrize(
    "file",
    ["legacy", "rc2-128", "triple-des", "aes-128", "no-encryption", "no-mac", "no-name", "certificate-only"],
)
def test_openssls_archives_are_imported_whatever_they_are_encrypted_with(file: str) -> None:
    archive = (OPENSSL / f"{file}.p12").read_bytes()
    imported = import_archive(PKCS12, archive, key=OPENSSL_PASSWORD, store=OPENSSL_PASSWORD)
    assert imported.chain[0].subject.rfc4514_string() == "CN=P-256"
    # Without a MAC, a wrong store password shows only by failing to decrypt the key.
    expected = WrongKeyPasswordError if file == "no-mac" else WrongStorePasswordError
    with pytest.raises(expected):
        import_archive(PKCS12, archive, store=Secret("openssl Password"))


def test_openssls_chains_come_out_leaf_first() -> None:
    archive = (OPENSSL / "chain.p12").read_bytes()
    chain = import_archive(
        PKCS12, archive, "leaf", key=OPENSSL_PASSWORD, store=OPENSSL_PASSWORD, now=MADE_LATER
    ).chain
    names = [certificate.subject.rfc4514_string() for certificate in chain]
    assert names == ["CN=leaf", "CN=intermediate", "CN=root"]


def test_an_archive_without_names_has_entry_1_as_in_java() -> None:
    archive = (OPENSSL / "no-name.p12").read_bytes()
    assert import_archive(PKCS12, archive, "1", key=None, store=OPENSSL_PASSWORD).chain


def test_rc4_is_refused_by_name_of_the_problem() -> None:
    archive = (OPENSSL / "rc4.p12").read_bytes()
    with pytest.raises(UnsupportedAlgorithmError, match="RC4"):
        import_archive(PKCS12, archive, key=OPENSSL_PASSWORD, store=OPENSSL_PASSWORD)
    assert import_archive(PKCS12, archive, key=None, store=OPENSSL_PASSWORD).chain


@pytest.mark.parametrize(("file", "named"), [("rc4-40", "RC4"), ("md5-des", "MD5 and DES")])
def test_an_encryption_that_is_not_read_is_named_with_the_way_out(file: str, named: str) -> None:
    archive = (OPENSSL / f"{file}.p12").read_bytes()
    with pytest.raises(UnsupportedAlgorithmError, match=f"{named}.*openssl pkcs12"):
        import_archive(PKCS12, archive, key=None, store=OPENSSL_PASSWORD)


def test_the_advised_conversion_reads_files() -> None:
    """OpenSSL 3.0 reads ``-in`` twice to export, once for the key and once for the certificates: it cannot
    be a pipe."""
    assert "|" not in CONVERT
    assert CONVERSION == (
        "openssl pkcs12 -legacy -in OLD -out KEYS.pem",
        "openssl pkcs12 -export -in KEYS.pem -out NEW",
    )
    assert all(command in CONVERT for command in CONVERSION)


@pytest.mark.parametrize("name", [PKCS12, JKS])
def test_an_archive_with_an_empty_password_is_imported_without_one(name: KeyStoreFormat) -> None:
    archive = (OPENSSL / "empty-password.p12").read_bytes()
    for nothing in (None, Secret("")):
        imported = import_archive(name, archive, key=nothing, store=nothing, now=MADE_LATER)
        assert imported.chain[0].subject.rfc4514_string() == "CN=P-256"
    with pytest.raises(WrongStorePasswordError):
        import_archive(name, archive, store=OPENSSL_PASSWORD, now=MADE_LATER)
