"""Choice of a command's database: a local stack's, or the one that the environment names."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from keyturn.local import local_file
from keyturn.local.data_directory import DataDirectory
from keyturn.local.environment import CREDENTIALS_DEFAULTS, allowed_networks
from keyturn.local.errors import StackError
from keyturn.local.secrets_file import load
from keyturn.wrapped_keys.unwrapping import settings_with_keys
from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.errors import ConfigurationError

_DATABASE_URL: Final = "KEYTURN_DATABASE_URL"
_REDIS_URL: Final = "KEYTURN_REDIS_URL"
_PUBLIC_URL: Final = "KEYTURN_PUBLIC_URL"
_NETWORKS: Final = "KEYTURN_JWKS_ALLOWED_NETWORKS"
_PREFIX: Final = "KEYTURN_"


def settings_for(data_dir: Path | None) -> CredentialsSettings:
    """Return the settings of the credentials service whose database the command uses.

    ``data_dir``: a local stack's data directory; None: the settings are those of the environment, which must
    name a database. There is no default: writing to a database that no service uses would appear to succeed.

    Raises ConfigurationError if no database is given, keys cannot be unwrapped or settings contradict each
    other, StackError if no stack has been started in the directory or its files cannot be read, and
    pydantic's ValidationError if a setting is missing or invalid.
    """
    if data_dir is not None:
        directory = DataDirectory(data_dir)
        return CredentialsSettings(**_of_stack(directory, _running(directory)))
    _require_database()
    return settings_with_keys(CredentialsSettings)


def values_of_running(data_dir: Path | None) -> dict[str, Any]:
    """Return the values of the settings of a running installation, unchecked, by name in lower case.

    ``data_dir`` as above. The stack must be running: its Redis and gateway have other addresses at each
    start. Raises ConfigurationError if no database is given, and StackError.
    """
    if data_dir is None:
        _require_database()
        return _named({name: value for name, value in os.environ.items() if name.startswith(_PREFIX)})
    directory = DataDirectory(data_dir)
    running = _running(directory)
    values = _of_stack(directory, running)
    if running is None:
        raise StackError(
            f"no stack is running in {directory.path}: run keyturn up --data-dir {directory.path}"
        )
    addresses = {_REDIS_URL: running.redis_url, _PUBLIC_URL: running.base_url}
    return values | _named({_NETWORKS: allowed_networks(os.environ), **addresses})


def _require_database() -> None:
    if not os.environ.get(_DATABASE_URL):
        raise ConfigurationError(
            f"no database given: use --data-dir to use a local stack's database, or set {_DATABASE_URL}"
        )


def _running(directory: DataDirectory) -> local_file.LocalStack | None:
    if not directory.secrets_file.exists():
        raise StackError(
            f"no stack has been started in {directory.path}: run keyturn up --data-dir {directory.path}"
        )
    return local_file.read(directory.local_file)


def _of_stack(directory: DataDirectory, running: local_file.LocalStack | None) -> dict[str, Any]:
    database_url = f"sqlite+aiosqlite:///{directory.database}" if running is None else running.database_url
    return _named(
        {
            **CREDENTIALS_DEFAULTS,
            **load(directory.secrets_file).environment(),
            _DATABASE_URL: database_url,
        }
    )


def _named(variables: Mapping[str, str]) -> dict[str, Any]:
    return {name.removeprefix(_PREFIX).lower(): value for name, value in variables.items()}
