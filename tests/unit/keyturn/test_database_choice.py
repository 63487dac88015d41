"""A command that has to meet a service works on its database, or on none."""

from pathlib import Path

import pytest

from keyturn.database_choice import settings_for
from keyturn.local.data_directory import DataDirectory
from keyturn.local.errors import StackError
from keyturn.local.local_file import AdminLogin, LocalStack
from keyturn.local.secrets_file import load_or_make
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.sealing import KeyRing


@pytest.fixture
def directory(tmp_path: Path) -> DataDirectory:
    directory = DataDirectory(tmp_path / "data")
    directory.prepare()
    load_or_make(directory.secrets_file, {}, database=directory.database)
    return directory


@pytest.mark.parametrize("value", [None, ""])
def test_no_database_is_made_up(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEYTURN_DATABASE_URL", raising=False)
    if value is not None:
        monkeypatch.setenv("KEYTURN_DATABASE_URL", value)
    with pytest.raises(ConfigurationError, match=r"--data-dir.*KEYTURN_DATABASE_URL"):
        settings_for(None)


def test_the_environment_names_the_database_and_the_keys_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "DATABASE_URL": "postgresql+asyncpg://elsewhere/keyturn",
        "ENCRYPTION_KEYS": KeyRing.generate_key(),
        "FLEET_KEYS": KeyRing.generate_key(),
    }
    for name, value in values.items():
        monkeypatch.setenv(f"KEYTURN_{name}", value)
    settings = settings_for(None)
    assert settings.database_url == values["DATABASE_URL"]
    assert settings.encryption_keys.get_secret_value() == values["ENCRYPTION_KEYS"]


def test_a_data_directory_has_a_database_and_the_keys_to_it(directory: DataDirectory) -> None:
    settings = settings_for(directory.path)
    assert settings.database_url == f"sqlite+aiosqlite:///{directory.database}"
    assert settings.encryption_keys.get_secret_value() in directory.secrets_file.read_text()
    assert settings.realm_seals


def test_a_running_stack_says_which_database_it_has(directory: DataDirectory) -> None:
    url = "postgresql+asyncpg://elsewhere/keyturn"
    admin = AdminLogin("master", "admin", "secret")
    LocalStack("http://127.0.0.1:1", admin, (), {}, "redis://127.0.0.1:2", url).write(directory.local_file)
    assert settings_for(directory.path).database_url == url


def test_a_directory_without_a_stack_is_told(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="no stack has been started"):
        settings_for(tmp_path)
