"""A command that has to meet a service works on its database, or on none."""

from pathlib import Path

import pytest

from keyturn.database_choice import settings_for
from keyturn.stack.data_directory import DataDirectory
from keyturn.stack.errors import StackError
from keyturn.stack.local_file import AdminLogin, LocalStack
from keyturn.stack.secrets_file import load_or_make
from keyturn_shared.errors import ConfigurationError


@pytest.fixture
def directory(tmp_path: Path) -> DataDirectory:
    directory = DataDirectory(tmp_path / "data")
    directory.prepare()
    load_or_make(directory.secrets_file, {}, database=directory.database)
    return directory


def test_no_database_is_made_up() -> None:
    for environment in ({}, {"KEYTURN_DATABASE_URL": ""}):
        with pytest.raises(ConfigurationError, match=r"--data-dir.*KEYTURN_DATABASE_URL"):
            settings_for(None, environment)


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
    with pytest.raises(StackError, match="no stack was ever started"):
        settings_for(tmp_path)
