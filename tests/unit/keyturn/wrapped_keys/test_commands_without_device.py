"""Commands that read the fleet keys only in place of others: with these, a lost device stops none of them."""

import pytest
from typer.testing import CliRunner

from keyturn.cli import app
from keyturn_shared.signed_log.keys import LogSigningKeys


@pytest.fixture(autouse=True)
def wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYTURN_FLEET_KEYS", "A256KW.01.00000000.wrapped")


def test_the_public_halves_of_the_logs_keys_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    key = LogSigningKeys.generate_key()
    monkeypatch.setenv("KEYTURN_LOG_SIGNING_KEYS", key)
    outcome = CliRunner().invoke(app, ["log-keys", "public"])
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert outcome.stdout.strip() == LogSigningKeys.from_text(key).public_keys


@pytest.mark.parametrize("variable", ["KEYTURN_LOG_VERIFICATION_KEYS", "KEYTURN_LOG_SIGNING_KEYS"])
def test_key_sets_are_looked_for_in_redis(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    key = LogSigningKeys.generate_key()
    monkeypatch.setenv("KEYTURN_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv(variable, key if "SIGNING" in variable else LogSigningKeys.from_text(key).public_keys)
    outcome = CliRunner().invoke(app, ["jwks", "inspect", "https://a.example/jwks"])
    assert outcome.exit_code == 2
    assert "connecting to 127.0.0.1:1" in outcome.stderr
