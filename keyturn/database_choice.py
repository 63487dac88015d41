"""Choice of a command's database: a local stack's, or the one that the environment names."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from keyturn.stack import local_file
from keyturn.stack.data_directory import DataDirectory
from keyturn.stack.environment import CREDENTIALS_DEFAULTS
from keyturn.stack.errors import StackError
from keyturn.stack.secrets_file import load
from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.errors import ConfigurationError

_DATABASE_URL: Final = "KEYTURN_DATABASE_URL"
_PREFIX: Final = "KEYTURN_"


def settings_for(data_dir: Path | None, environment: Mapping[str, str] = os.environ) -> CredentialsSettings:
    """Return the settings of the credentials service whose database the command uses.

    There is no default: writing to a database that no service uses would appear to succeed. Raises
    ConfigurationError, StackError and pydantic's ValidationError.
    """
    if data_dir is not None:
        return CredentialsSettings(**_of_stack(DataDirectory(data_dir)))
    if not environment.get(_DATABASE_URL):
        raise ConfigurationError(
            f"no database was named: use --data-dir for a local stack's, or set {_DATABASE_URL}"
        )
    return CredentialsSettings()  # type: ignore[call-arg]  # read from the environment


def _of_stack(directory: DataDirectory) -> dict[str, Any]:
    if not directory.secrets_file.exists():
        raise StackError(f"no stack was ever started in {directory.path}: start one with keyturn up")
    running = local_file.read(directory.local_file)
    database_url = f"sqlite+aiosqlite:///{directory.database}" if running is None else running.database_url
    variables = {
        **CREDENTIALS_DEFAULTS,
        **load(directory.secrets_file).environment(),
        _DATABASE_URL: database_url,
    }
    return {name.removeprefix(_PREFIX).lower(): value for name, value in variables.items()}
