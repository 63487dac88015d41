"""Archives of the JDK's keytool, as the adapter loads keys from them."""

from pathlib import Path

import pytest

from keyturn import KeyFileError, load_key
from tests.testkit.keytool import RunKeytool

PASSWORD = "top secret"


def test_an_archive_of_keytool_is_read_by_its_alias(tmp_path: Path, keytool: RunKeytool) -> None:
    file = tmp_path / "orders.p12"
    options = ["-storetype", "PKCS12", "-keystore", file, "-storepass", PASSWORD, "-dname", "CN=orders"]
    for alias in ("Orders", "later"):
        keytool("-genkeypair", "-alias", alias, "-keyalg", "EC", "-groupname", "secp256r1", *options)
    assert load_key(file, password=PASSWORD, alias="Orders").algorithm == "ES256"
    found = load_key(file, password=PASSWORD)
    assert found.kid == load_key(file, password=PASSWORD, alias="ORDERS").kid
    with pytest.raises(KeyFileError, match=r"its first key is orders, and not later.*-srcalias later"):
        load_key(file, password=PASSWORD, alias="later")


def test_a_java_keystore_is_refused_with_the_command_that_converts_it(
    tmp_path: Path, keytool: RunKeytool
) -> None:
    file, converted = tmp_path / "orders.jks", tmp_path / "orders.p12"
    options = ["-storetype", "JKS", "-keystore", file, "-storepass", PASSWORD, "-dname", "CN=orders"]
    keytool("-genkeypair", "-alias", "orders", "-keyalg", "RSA", "-keypass", PASSWORD, *options)
    with pytest.raises(KeyFileError) as refused:
        load_key(file, password=PASSWORD)
    command = refused.value.detail.partition("keytool ")[2].split()
    assert str(converted) in command
    ended = keytool(*command, "-srcstorepass", PASSWORD, "-deststorepass", PASSWORD)
    assert ended.returncode == 0, ended.stdout
    assert load_key(converted, password=PASSWORD, alias="orders").algorithm == "RS256"
