"""Archives of the JDK's keytool, as the adapter loads keys from them."""

from pathlib import Path

import pytest

from keyturn import KeyFileError, load_key
from tests.testkit.keytool import RunKeytool

PASSWORD = "top secret"


@pytest.mark.parametrize("storetype", ["PKCS12", "JKS"])
def test_an_archive_of_keytool_is_read_by_its_alias(
    tmp_path: Path, keytool: RunKeytool, storetype: str
) -> None:
    file = tmp_path / "orders"
    options = ["-storetype", storetype, "-keystore", file, "-storepass", PASSWORD, "-dname", "CN=orders"]
    for alias in ("Orders", "later"):
        keytool("-genkeypair", "-alias", alias, "-keyalg", "EC", "-groupname", "secp256r1", *options)
    found = load_key(file, password=PASSWORD, alias="Orders")
    assert found.algorithm == "ES256"
    assert load_key(file, password=PASSWORD, alias="ORDERS").kid == found.kid
    assert load_key(file, password=PASSWORD, alias="later").kid != found.kid
    with pytest.raises(
        KeyFileError, match=r"no alias was specified; the archive has: '(orders|later)', '(orders|later)'$"
    ):
        load_key(file, password=PASSWORD)


def test_jceks_is_refused_with_the_command_that_converts_it(tmp_path: Path, keytool: RunKeytool) -> None:
    file, converted = tmp_path / "orders.jks", tmp_path / "orders.p12"
    options = ["-storetype", "JCEKS", "-keystore", file, "-storepass", PASSWORD, "-dname", "CN=orders"]
    keytool("-genkeypair", "-alias", "orders", "-keyalg", "RSA", "-keypass", PASSWORD, *options)
    with pytest.raises(KeyFileError) as refused:
        load_key(file, password=PASSWORD)
    command = refused.value.detail.partition("keytool ")[2].split()
    assert str(converted) in command
    ended = keytool(*command, "-srcstorepass", PASSWORD, "-deststorepass", PASSWORD)
    assert ended.returncode == 0, ended.stdout
    assert load_key(converted, password=PASSWORD, alias="orders").algorithm == "RS256"
