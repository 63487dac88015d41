"""The services as processes: their settings."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from keyturn.services import describe_settings_error, read_secret_files
from keyturn_shared.errors import ConfigurationError
from keyturn_verifier.settings import VerifierSettings


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="KEYTURN_")

    lease_seconds: float = 10.0
    fleet_keys: SecretStr


def test_a_secret_is_read_from_the_file_a_variable_names(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("abc\n")
    environment = {"KEYTURN_FLEET_KEYS_FILE": str(tmp_path / "keys"), "OTHER_FILE": "/none"}
    read_secret_files(environment)
    assert environment["KEYTURN_FLEET_KEYS"] == "abc"


def test_only_the_files_of_named_variables_are_read(tmp_path: Path) -> None:
    (tmp_path / "port").write_text("8080\n")
    environment = {"KEYTURN_PORT_FILE": str(tmp_path / "port"), "KEYTURN_FLEET_KEYS_FILE": "/none"}
    read_secret_files(environment, {"KEYTURN_PORT"})
    assert environment["KEYTURN_PORT"] == "8080"
    assert "KEYTURN_FLEET_KEYS" not in environment


def test_a_secret_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"KEYTURN_FLEET_KEYS_FILE: .*none: No such file"):
        read_secret_files({"KEYTURN_FLEET_KEYS_FILE": str(tmp_path / "none")})


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="both set"):
        read_secret_files({"KEYTURN_FLEET_KEYS_FILE": "x", "KEYTURN_FLEET_KEYS": "y"})


def test_unusable_settings_are_named_without_their_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYTURN_LEASE_SECONDS", "s3cret")
    monkeypatch.delenv("KEYTURN_FLEET_KEYS", raising=False)
    with pytest.raises(ValidationError) as caught:
        Settings()  # type: ignore[call-arg]  # read from the environment
    text = describe_settings_error(caught.value)
    assert text.startswith("KEYTURN_LEASE_SECONDS: Input should be a valid number")
    assert "KEYTURN_FLEET_KEYS: required, but not set" in text
    assert "s3cret" not in text
    assert "\n" not in text


def test_a_key_that_is_not_one_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYTURN_FLEET_KEYS", "abc")
    with pytest.raises(ConfigurationError, match=r"^KEYTURN_FLEET_KEYS: a fleet key has 2 bytes, not 32$"):
        VerifierSettings()
    monkeypatch.delenv("KEYTURN_FLEET_KEYS")
    with pytest.raises(ConfigurationError, match=r"^KEYTURN_FLEET_KEYS: required, but not set$"):
        VerifierSettings()
