"""``keyturn log-keys`` prints values for the services' settings."""

import pytest
from typer.testing import CliRunner

from keyturn.cli import app
from keyturn_shared.sealing import KeyRing
from keyturn_shared.signed_log.keys import LogSigningKeys


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KEYTURN_LOG_SIGNING_KEYS", "KEYTURN_FLEET_KEYS"):
        monkeypatch.delenv(name, raising=False)


def printed(*arguments: str) -> str:
    outcome = CliRunner().invoke(app, ["log-keys", *arguments])
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout.strip()


def test_a_new_key_and_its_public_half_belong_together(monkeypatch: pytest.MonkeyPatch) -> None:
    key = printed("new")
    monkeypatch.setenv("KEYTURN_LOG_SIGNING_KEYS", key)
    assert printed("public") == LogSigningKeys.from_text(key).public_keys


def test_without_keys_of_its_own_those_of_the_fleet_keys_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet_keys = KeyRing.generate_key()
    monkeypatch.setenv("KEYTURN_FLEET_KEYS", fleet_keys)
    assert printed("public") == LogSigningKeys.derived_from(fleet_keys).public_keys


def test_without_any_key_it_says_what_is_missing() -> None:
    outcome = CliRunner().invoke(app, ["log-keys", "public"])
    assert outcome.exit_code == 2
