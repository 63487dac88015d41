"""Settings of a service: what is read, and all that is wrong with it at once."""

import os
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from keyturn.checked_settings import checked_settings, describe_settings_error, read_secret_files
from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.sealing import KeyRing
from keyturn_shared.service_settings import ServiceSettings
from keyturn_verifier.settings import FetcherSettings, VerifierSettings


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
    assert len(text.splitlines()) == 2


def test_a_key_that_is_not_one_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYTURN_FLEET_KEYS", "abc")
    with pytest.raises(ConfigurationError, match=r"^KEYTURN_FLEET_KEYS: a fleet key has 2 bytes, not 32$"):
        VerifierSettings()
    monkeypatch.delenv("KEYTURN_FLEET_KEYS")
    with pytest.raises(ConfigurationError, match=r"^KEYTURN_FLEET_KEYS: required, but not set$"):
        VerifierSettings()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No variables of keyturn but those that a service needs."""
    for name in [name for name in os.environ if name.startswith("KEYTURN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KEYTURN_ENCRYPTION_KEYS", KeyRing.generate_key())
    monkeypatch.setenv("KEYTURN_FLEET_KEYS", KeyRing.generate_key())
    return monkeypatch


def problems(kind: type[ServiceSettings]) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        checked_settings(kind, os.environ)
    return caught.value.detail.split("\n")


@pytest.mark.parametrize("kind", [CredentialsSettings, VerifierSettings, FetcherSettings])
def test_good_settings_are_returned(kind: type[ServiceSettings], environment: pytest.MonkeyPatch) -> None:
    environment.setenv("KEYTURN_PORT", "8099")
    assert checked_settings(kind, os.environ).model_dump()["port"] == 8099


def test_everything_that_is_wrong_is_said_at_once(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("KEYTURN_ENCRYPTION_KEYS")
    for name, value in {
        "FLEET_KEYS": "short",
        "LEASE_SECOND": "10",
        "LEASE_SECONDS": "long",
        "REDIS_URL": "http://redis",
        "DATABASE_URL": "mysql://db",
        "JWKS_PROXY": "ftp://proxy",
        "JWKS_CA_FILE": "/none",
        "LOG_SIGNING_KEYS_FILE": "/none",
        "BOOTSTRAP_ADMIN_CLIENT_SECRET": "sécret",
    }.items():
        environment.setenv(f"KEYTURN_{name}", value)
    found = problems(CredentialsSettings)
    assert sorted(line.split(":")[0].removeprefix("KEYTURN_") for line in found) == [
        "BOOTSTRAP_ADMIN_CLIENT_SECRET",
        "DATABASE_URL",
        "ENCRYPTION_KEYS",
        "FLEET_KEYS",
        "JWKS_PROXY",
        "LEASE_SECOND",
        "LEASE_SECONDS",
        "LOG_SIGNING_KEYS_FILE",
        "REDIS_URL",
    ]
    assert not any("sécret" in line or "short" in line for line in found)
    environment.delenv("KEYTURN_FLEET_KEYS")
    assert "KEYTURN_FLEET_KEYS: required, but not set" in problems(VerifierSettings)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (CredentialsSettings, "JWKS_CA_FILE"),
        (VerifierSettings, "JWKS_CA_FILE"),
        (VerifierSettings, "CREDENTIALS_CA_FILE"),
        (VerifierSettings, "SHADOW_CA_FILE"),
        (VerifierSettings, "CLIENT_AUTHORITIES_PATH"),
        (FetcherSettings, "JWKS_CA_FILE"),
    ],
)
def test_a_file_that_a_setting_names_is_read(
    kind: type[ServiceSettings], name: str, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "empty.pem").write_text("nothing\n")
    environment.setenv(f"KEYTURN_{name}", str(tmp_path / "empty.pem"))
    (line,) = problems(kind)
    assert line.startswith(f"KEYTURN_{name}: ")


def test_the_file_of_authorities_is_no_secret(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its variable ends like those that name the file of a secret."""
    environment.setenv("KEYTURN_JWKS_CA_FILE", "/etc/none.pem")
    read_secret_files(os.environ)
    assert "KEYTURN_JWKS_CA" not in os.environ


def test_a_secret_whose_file_cannot_be_read_is_not_missing_too(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("KEYTURN_ENCRYPTION_KEYS")
    environment.setenv("KEYTURN_ENCRYPTION_KEYS_FILE", "/none")
    assert problems(CredentialsSettings) == ["KEYTURN_ENCRYPTION_KEYS_FILE: /none: No such file or directory"]
