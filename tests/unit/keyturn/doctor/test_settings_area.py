"""All that is wrong with the settings is found at once, and no value is shown."""

from typing import Any

import pytest

from keyturn.doctor.settings_area import read_settings
from keyturn_shared.sealing import KeyRing
from keyturn_shared.signed_log.keys import LogSigningKeys

RIGHT: dict[str, Any] = {
    "database_url": "sqlite+aiosqlite:///keyturn.db",
    "encryption_keys": KeyRing.generate_key(),
    "fleet_keys": KeyRing.generate_key(),
    "log_signing_keys": LogSigningKeys.generate_key(),
    "public_url": "https://id.example",
}
_WRONG = "not-a-key-at-all"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in RIGHT:
        monkeypatch.delenv(f"KEYTURN_{name.upper()}", raising=False)


def test_right_settings_have_no_finding() -> None:
    settings, found = read_settings(RIGHT)
    assert settings is not None
    assert found == []


@pytest.mark.parametrize(
    ("changed", "codes"),
    [
        ({"public_url": "http://id.example"}, ["settings_url_without_tls"]),
        ({"public_url": "http://127.0.0.1:8080"}, []),
        ({"log_signing_keys": None}, ["settings_log_keys_derived"]),
    ],
)
def test_unwise_settings_are_warnings(changed: dict[str, Any], codes: list[str]) -> None:
    settings, found = read_settings(RIGHT | changed)
    assert settings is not None
    assert [each.code for each in found] == codes


def test_everything_that_is_wrong_is_found_at_once() -> None:
    wrong = {
        "encryption_keys": _WRONG,
        "fleet_keys": _WRONG,
        "redis_url": "http://user:password@redis",
        "database_url": "postgresql+asyncpg://user:password@db:port/keyturn",
        "port": "many",
        "lease_seconds": "0",
    }
    settings, found = read_settings(RIGHT | wrong)
    assert settings is None
    told = " ".join(each.found for each in found)
    assert all(f"KEYTURN_{name.upper()}" in told for name in wrong)
    assert _WRONG not in told
    assert "password" not in told


def test_a_contradiction_is_found() -> None:
    settings, found = read_settings(RIGHT | {"event_retention_days": "30", "audit_retention_days": "10"})
    assert settings is None
    assert [each.code for each in found] == ["settings_invalid"]
    assert "KEYTURN_AUDIT_RETENTION_DAYS" in found[0].found
