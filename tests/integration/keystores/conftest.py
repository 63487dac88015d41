"""Archives made by the JDK's keytool: JKS and PKCS #12, with every kind of key and with chains."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from keyturn_credentials.keystores import KeyPairKind
from keyturn_shared.secret import Secret
from tests.testkit.fixtures.credentials_service import api as api
from tests.testkit.key_material import certificate, key_pair
from tests.testkit.keytool import RunKeytool

STORE = Secret("store password")
KEY = Secret("key password")
"""In JKS every key is under this; in PKCS #12 keytool uses the store password."""

# The JDK takes half a minute for a large RSA key; these are generated elsewhere and imported.
_MADE_BY_KEYTOOL = {
    KeyPairKind.RSA_2048: ("-keyalg", "RSA", "-keysize", "2048"),
    KeyPairKind.P_256: ("-keyalg", "EC", "-groupname", "secp256r1"),
    KeyPairKind.P_384: ("-keyalg", "EC", "-groupname", "secp384r1"),
    KeyPairKind.P_521: ("-keyalg", "EC", "-groupname", "secp521r1"),
    KeyPairKind.ED25519: ("-keyalg", "Ed25519"),
}
_GIVEN_TO_KEYTOOL = (KeyPairKind.RSA_3072, KeyPairKind.RSA_4096)


@dataclass(frozen=True)
class KeytoolArchives:
    """The same entries in both formats: one per kind, named after it, and the chain ``leaf``."""

    jks: bytes
    pkcs12: bytes


@pytest.fixture(scope="session")
def keytool_archives(keytool: RunKeytool, tmp_path_factory: pytest.TempPathFactory) -> KeytoolArchives:
    folder = tmp_path_factory.mktemp("keytool")
    jks = folder / "made.jks"
    store: tuple[str | Path, ...] = ("-keystore", jks, "-storetype", "JKS", "-storepass", STORE.reveal())

    def run(*arguments: str | Path, stdin: str = "") -> str:
        ended = keytool(*arguments, stdin=stdin)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def generate(alias: str, *options: str) -> None:
        named = ("-alias", alias, "-dname", f"CN={alias}", "-keypass", KEY.reveal())
        run("-genkeypair", *options, *named, "-validity", "3650", *store)

    for kind, options in _MADE_BY_KEYTOOL.items():
        generate(kind, *options)
    for kind in _GIVEN_TO_KEYTOOL:
        _give(run, kind, folder / f"{kind}.p12", jks)
    for alias in ("leaf", "intermediate", "root"):
        generate(alias, *_MADE_BY_KEYTOOL[KeyPairKind.P_256], "-ext", "bc:c")
    _certify(run, "intermediate", "root", store)
    _certify(run, "leaf", "intermediate", store)

    p12 = folder / "made.p12"
    target = ("-destkeystore", p12, "-deststoretype", "PKCS12", "-deststorepass", STORE.reveal())
    source = ("-srckeystore", jks, "-srcstorepass", STORE.reveal())
    # It asks for the password of each key.
    run("-importkeystore", *source, *target, stdin=f"{KEY.reveal()}\n" * (len(KeyPairKind) + 3))
    return KeytoolArchives(jks.read_bytes(), p12.read_bytes())


def _give(run: Callable[..., str], kind: KeyPairKind, file: Path, jks: Path) -> None:
    password = KEY.reveal()
    file.write_bytes(
        pkcs12.serialize_key_and_certificates(
            kind.encode(), key_pair(kind).reveal(), certificate(kind, kind), None,
            BestAvailableEncryption(password.encode()),
        )
    )  # fmt: skip
    source = ("-srckeystore", file, "-srcstoretype", "PKCS12", "-srcstorepass", password)
    target = ("-destkeystore", jks, "-deststoretype", "JKS", "-deststorepass", STORE.reveal())
    run("-importkeystore", *source, "-srcalias", kind, *target, "-destkeypass", password)


def _certify(run: Callable[..., str], alias: str, issuer: str, store: tuple[str | Path, ...]) -> None:
    """Have the issuer sign the entry's certificate, and store the resulting chain in the entry."""
    store = ("-keypass", KEY.reveal(), *store)
    request = run("-certreq", "-alias", alias, *store)
    issued = run("-gencert", "-rfc", "-alias", issuer, "-validity", "3650", *store, stdin=request)
    # keytool leaves the root out of what it issues.
    root = run("-exportcert", "-rfc", "-alias", "root", *store)
    run("-importcert", "-noprompt", "-alias", alias, *store, stdin=issued + root)
