"""No secret of the settings is in a text that is shown."""

import base64
from typing import Any

import pytest
from pydantic import SecretStr

from keyturn.doctor.hidden import passwords_in, secrets_of, without
from keyturn.doctor.running import _texts
from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.sealing import KeyRing
from keyturn_shared.signed_log.keys import LogSigningKeys


@pytest.mark.parametrize(
    ("url", "passwords"),
    [
        ("redis://:pass@host/0", {"pass"}),
        ("redis://host/0", set()),
        ("redis://user@host/0", set()),
        ("redis+sentinel://user:p%40ss@a:1,b:2/name", {"p%40ss", "p@ss"}),
        ("postgresql+asyncpg://user:pass@/db?host=a:5432&host=b:5432", {"pass"}),
        ("sqlite+aiosqlite:///keyturn.db", set()),
    ],
)
def test_passwords_in_urls(url: str, passwords: set[str]) -> None:
    assert passwords_in(url) == passwords


def test_every_secret_of_the_settings_is_masked() -> None:
    keys = [KeyRing.generate_key() for _ in range(4)]
    signing = LogSigningKeys.generate_key()
    webhook_secrets = [f"whsec_{base64.b64encode(bytes([number] * 32)).decode()}" for number in (1, 2)]
    values: dict[str, Any] = {
        "database_url": "postgresql+asyncpg://u:of-the-database@h/d",
        "redis_url": "redis://u:of-redis@h/0",
        "encryption_keys": f"{keys[0]},{keys[1]}",
        "fleet_keys": f"{keys[2]}, {keys[3]}",
        "log_signing_keys": signing,
        "bootstrap_admin_client_secret": "of-the-admin",
        "jwks_proxy": "http://u:of-the-proxy@h:1",
        "notices_webhook_url": "https://hooks.example.com/of-the-receiver",
        "notices_webhook_secret": f"{webhook_secrets[0]}\n{webhook_secrets[1]}",
    }
    settings = CredentialsSettings(**values)
    texts = [*keys, signing, "of-the-database", "of-redis", "of-the-admin", "of-the-proxy"]
    texts += [*webhook_secrets, "https://hooks.example.com/of-the-receiver"]
    shown = without(secrets_of(settings), " ".join(texts))
    assert [text for text in texts if text in shown] == []
    assert without(secrets_of(settings), "nothing to hide") == "nothing to hide"


def test_unwrapped_keys_are_masked_too_if_other_settings_are_invalid() -> None:
    keys = [KeyRing.generate_key() for _ in range(2)]
    values = {"encryption_keys": SecretStr(keys[0]), "fleet_keys": keys[1], "lease_seconds": "long"}
    assert without(_texts(values), f"{keys[0]} {keys[1]} long") == "********** ********** long"
