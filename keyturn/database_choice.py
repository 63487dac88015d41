"""Choice of a command's database: a local stack's, or the one that the environment names."""

import os
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


def settings_for(data_dir: Path | None) -> CredentialsSettings:
    """Return the settings of the credentials service whose database the command uses.

    ``data_dir``: a local stack's data directory; None: the settings are those of the environment, which must
    name a database. There is no default: writing to a database that no service uses would appear to succeed.

    Raises ConfigurationError if no database is given or settings contradict each other, StackError if no
    stack has been started in the directory or its files cannot be read, and pydantic's ValidationError if a
    setting is missing or invalid.
    """
    if data_dir is not None:
        return CredentialsSettings(**_of_stack(DataDirectory(data_dir)))
    if not os.environ.get(_DATABASE_URL):
        raise ConfigurationError(
            f"no database given: use --data-dir to use a local stack's database, or set {_DATABASE_URL}"
        )
    return CredentialsSettings()  # type: ignore[call-arg]  # read from the environment


def _of_stack(directory: DataDirectory) -> dict[str, Any]:
    if not directory.secrets_file.exists():
        raise StackError(
            f"no stack has been started in {directory.path}: run keyturn up --data-dir {directory.path}"
        )
    running = local_file.read(directory.local_file)
    database_url = f"sqlite+aiosqlite:///{directory.database}" if running is None else running.database_url
    variables = {
        **CREDENTIALS_DEFAULTS,
        **load(directory.secrets_file).environment(),
        _DATABASE_URL: database_url,
    }
    return {name.removeprefix(_PREFIX).lower(): value for name, value in variables.items()}
