"""keytool's archives are imported, and loaded by clients: each kind of key, with many entries and chains."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from keyturn import KeyFileError, load_key
from keyturn_credentials.keystores import KeyPairKind, KeyStoreFormat
from keyturn_shared.jose.algorithms import PublicKey
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.keystores.errors import (
    AliasAmbiguousError,
    AliasNotFoundError,
    WrongKeyPasswordError,
    WrongStorePasswordError,
)
from keyturn_shared.secret import Secret
from tests.integration.keystores.conftest import KEY, STORE, KeytoolArchives
from tests.testkit.key_material import JKS, PKCS12, import_archive

FORMATS = pytest.mark.parametrize("archive_format", [JKS, PKCS12])


def now() -> datetime:
    return datetime.now(UTC)


def kind_of(key: PublicKey) -> str:
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA-{key.key_size}"
    return str(VerificationKey.from_public_key(key).public_jwk["crv"])


def data_of(archives: KeytoolArchives, archive_format: KeyStoreFormat) -> bytes:
    return archives.jks if archive_format is JKS else archives.pkcs12


def password_of(archive_format: KeyStoreFormat) -> Secret:
    """Return the password of a key in the archive."""
    return KEY if archive_format is JKS else STORE


@FORMATS
@pytest.mark.parametrize("kind", KeyPairKind)
def test_keys_of_every_kind_are_imported_with_their_own_passwords(
    keytool_archives: KeytoolArchives, archive_format: KeyStoreFormat, kind: KeyPairKind
) -> None:
    data = data_of(keytool_archives, archive_format)
    imported = import_archive(
        archive_format, data, kind, key=password_of(archive_format), store=STORE, now=now()
    )
    assert imported.chain[0].subject.rfc4514_string() == f"CN={kind}"
    assert kind_of(imported.public_key) == kind


@FORMATS
def test_a_chain_comes_with_its_leaf(
    keytool_archives: KeytoolArchives, archive_format: KeyStoreFormat
) -> None:
    data = data_of(keytool_archives, archive_format)
    imported = import_archive(
        archive_format, data, "LEAF", key=password_of(archive_format), store=STORE, now=now()
    )
    names = [certificate.subject.rfc4514_string() for certificate in imported.chain]
    assert names == ["CN=leaf", "CN=intermediate", "CN=root"]


@FORMATS
def test_what_does_not_fit_is_refused_by_name(
    keytool_archives: KeytoolArchives, archive_format: KeyStoreFormat
) -> None:
    data = data_of(keytool_archives, archive_format)

    def attempt(alias: str | None, key: Secret, store: Secret) -> None:
        import_archive(archive_format, data, alias, key=key, store=store, now=now())

    with pytest.raises(WrongStorePasswordError):
        attempt("leaf", STORE, Secret("another"))
    with pytest.raises(AliasNotFoundError) as unknown:
        attempt("nobody", STORE, STORE)
    assert {kind.lower() for kind in KeyPairKind} <= {alias.lower() for alias in unknown.value.aliases}
    with pytest.raises(AliasAmbiguousError):
        attempt(None, STORE, STORE)


def test_in_jks_the_store_password_does_not_open_a_key(keytool_archives: KeytoolArchives) -> None:
    with pytest.raises(WrongKeyPasswordError):
        import_archive(JKS, keytool_archives.jks, "leaf", key=STORE, store=STORE, now=now())


@FORMATS
@pytest.mark.parametrize("kind", KeyPairKind)
def test_a_client_loads_each_key_by_its_alias(
    keytool_archives: KeytoolArchives, archive_format: KeyStoreFormat, kind: KeyPairKind, tmp_path: Path
) -> None:
    file = tmp_path / "keys"
    file.write_bytes(data_of(keytool_archives, archive_format))
    own = password_of(archive_format).reveal()
    key = load_key(file, password=STORE.reveal(), key_password=own, alias=kind)
    assert kind_of(key.verification_key.public_key) == kind
    with pytest.raises(KeyFileError, match="no alias was specified; the archive has: "):
        load_key(file, password=STORE.reveal(), key_password=own)
