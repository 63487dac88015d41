"""PKCS #12 archives that OpenSSL made (``openssl/make.sh``) are imported, whatever is in them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from keyturn_credentials.keystores import KeyPairKind
from keyturn_credentials.keystores.errors import (
    UnsupportedAlgorithmError,
    WrongKeyPasswordError,
    WrongStorePasswordError,
)
from keyturn_shared.secret import Secret
from tests.unit.credentials.keystores.material import PKCS12, import_archive

OPENSSL = Path(__file__).parent / "openssl"
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
    # Without a MAC nothing tells that the store password is wrong but the key that it does not open.
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
    with pytest.raises(UnsupportedAlgorithmError):
        import_archive(PKCS12, archive, key=OPENSSL_PASSWORD, store=OPENSSL_PASSWORD)
    assert import_archive(PKCS12, archive, key=None, store=OPENSSL_PASSWORD).chain
