"""``keytool -list -v`` opens every archive made here, with its passwords."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from keyturn_credentials.keystores import (
    CertificateEntry,
    KeyEntry,
    KeyPairKind,
    KeyStoreFormat,
    write_archive,
)
from tests.testkit.admin_api import AdminApi
from tests.testkit.key_material import (
    JKS,
    KEY,
    PASSWORDS,
    PKCS12,
    STORE,
    certificate,
    chain_of_three,
    key_pair,
)
from tests.testkit.keytool import RunKeytool

FORMATS = pytest.mark.parametrize("archive_format", [JKS, PKCS12])


def listed(keytool: RunKeytool, file: Path) -> dict[str, str]:
    """Return the output of ``-list -v`` for each entry, by alias."""
    ended = keytool("-list", "-v", "-keystore", file, "-storepass", STORE.reveal())
    assert ended.returncode == 0, ended.stdout
    assert f"Your keystore contains {ended.stdout.count('Alias name: ')} entr" in ended.stdout
    entries = ended.stdout.split("Alias name: ")[1:]
    return {entry.partition("\n")[0]: entry for entry in entries}


@FORMATS
def test_archives_with_keys_of_every_kind_chains_and_certificates_are_opened(
    archive_format: KeyStoreFormat, keytool: RunKeytool, tmp_path: Path
) -> None:
    entries: list[KeyEntry | CertificateEntry] = [
        KeyEntry(kind.lower(), key_pair(kind), (certificate(kind, kind),)) for kind in KeyPairKind
    ]
    entries += [KeyEntry("chain", key_pair(), chain_of_three()), CertificateEntry("realm", certificate())]
    file = tmp_path / "archive"
    file.write_bytes(write_archive(archive_format, entries, PASSWORDS, now=datetime.now(UTC)))
    shown = listed(keytool, file)
    assert set(shown) == {entry.alias for entry in entries}
    assert "trustedCertEntry" in shown["realm"]
    assert "Certificate chain length: 3" in shown["chain"]
    for kind in KeyPairKind:
        assert "PrivateKeyEntry" in shown[kind.lower()]
        assert serial(shown[kind.lower()]) == certificate(kind, kind).serial_number
        assert names_kind(shown[kind.lower()], kind)


@FORMATS
@pytest.mark.parametrize("kind", [KeyPairKind.RSA_2048, KeyPairKind.P_521, KeyPairKind.ED25519])
def test_the_key_password_opens_the_key_and_no_other_does(
    archive_format: KeyStoreFormat, kind: KeyPairKind, keytool: RunKeytool, tmp_path: Path
) -> None:
    file = tmp_path / "archive"
    entry = KeyEntry("client", key_pair(kind), (certificate(kind),))
    file.write_bytes(write_archive(archive_format, [entry], PASSWORDS, now=datetime.now(UTC)))

    def sign(password: str) -> str:
        """Have keytool sign a request, for which it needs the private key; empty on failure."""
        named = ("-alias", "client", "-keypass", password)
        ended = keytool("-certreq", *named, "-keystore", file, "-storepass", STORE.reveal())
        return ended.stdout if ended.returncode == 0 else ""

    # keytool requires one password for both in PKCS #12.
    password = KEY if archive_format is JKS else STORE
    request = x509.load_pem_x509_csr(sign(password.reveal()).encode())
    assert request.is_signature_valid
    assert request.public_key() == key_pair(kind).public_key
    if archive_format is JKS:
        assert sign(STORE.reveal()) == ""


@FORMATS
async def test_what_the_api_hands_out_is_opened(
    archive_format: KeyStoreFormat, api: AdminApi, keytool: RunKeytool, tmp_path: Path
) -> None:
    client = {"clientId": "Orders", "clientAuthenticatorType": "client-jwt"}
    path = f"/master/clients/{await api.create('/master/clients', client)}/certificates/jwt.credential"
    config = {
        "format": archive_format.value,
        "keyAlias": "Orders",
        "realmAlias": "The-Realm",
        "storePassword": STORE.reveal(),
        "keyPassword": KEY.reveal(),
        "keyType": "P-256",
        "validity": 7,
    }
    file = tmp_path / "archive"
    made = await api.call("POST", f"{path}/generate-and-download", json=config)
    file.write_bytes(made.content)
    shown = listed(keytool, file)
    assert {alias: kind_of_entry(entry) for alias, entry in shown.items()} == {
        "orders": "PrivateKeyEntry",
        "the-realm": "trustedCertEntry",
    }
    year = datetime.now(UTC).year
    assert re.search(rf"Valid from: .* {year} until: .* {year + 7}", shown["orders"])
    later = await api.call("POST", f"{path}/download", json=config)
    file.write_bytes(later.content)
    again = listed(keytool, file)
    assert kind_of_entry(again["orders"]) == "trustedCertEntry"
    assert serial(again["orders"]) == serial(shown["orders"])


def serial(entry: str) -> int:
    return int(entry.partition("Serial number: ")[2].partition("\n")[0], 16)


def kind_of_entry(entry: str) -> str:
    return entry.partition("Entry type: ")[2].partition("\n")[0]


def names_kind(entry: str, kind: KeyPairKind) -> bool:
    algorithm = entry.partition("Subject Public Key Algorithm: ")[2].partition("\n")[0]
    name, _, size = kind.partition("-")
    return algorithm.startswith(f"{size}-bit {'EC' if name == 'P' else name} " if size else name)
