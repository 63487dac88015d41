"""The services as processes: settings from the environment, and one clear line if they are invalid."""

import os
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Final, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from keyturn.extras import needing
from keyturn.refusing import refuse
from keyturn_shared.errors import ConfigurationError, KeyturnError

Settings = TypeVar("Settings", bound=BaseSettings)

_PREFIX: Final = "KEYTURN_"
_MISSING: Final = "required, but not set"
_FILE: Final = "_FILE"
_MAX_SECRET_BYTES: Final = 65_536


def run_service(name: str) -> int:
    """Run ``credentials``, ``verifier`` or ``fetcher`` until it is told to end. Return the exit code."""
    return run_configured(_PROCESSES[name])


def run_configured(work: Callable[[], None]) -> int:
    """Run work that reads its settings from the environment. Return the exit code. An error is one line."""
    try:
        read_secret_files(os.environ)
        work()
    except ValidationError as error:
        return refuse(describe_settings_error(error))
    except KeyturnError as error:
        return refuse(error.detail)
    return 0


def read_secret_files(environment: MutableMapping[str, str]) -> None:
    """Set ``KEYTURN_X`` from the file named by ``KEYTURN_X_FILE``, the usual form of container secrets.
    Raises ConfigurationError when the file cannot be read, or both are set."""
    for variable in [name for name in environment if name.startswith(_PREFIX) and name.endswith(_FILE)]:
        name = variable.removesuffix(_FILE)
        if environment.get(name):
            raise ConfigurationError(f"{name} and {variable} are both set")
        try:
            with Path(environment[variable]).open("rb") as file:
                environment[name] = file.read(_MAX_SECRET_BYTES).decode().strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not valid text"
            raise ConfigurationError(f"{variable}: {environment[variable]}: {reason}") from error


def describe_settings_error(error: ValidationError) -> str:
    """Return the invalid variables and the reasons, without values: they may be secrets."""
    return "; ".join(
        f"{_PREFIX}{'_'.join(str(part) for part in problem['loc'] if isinstance(part, str)).upper()}: "
        f"{_MISSING if problem['type'] == 'missing' else problem['msg']}"
        for problem in error.errors(include_url=False, include_input=False, include_context=False)
    )


def _from_environment(kind: type[Settings]) -> Settings:
    return kind()


def _credentials() -> None:
    with needing("credentials"):
        from keyturn_credentials.process import run
        from keyturn_credentials.settings import CredentialsSettings

    run(_from_environment(CredentialsSettings))


def _verifier() -> None:
    with needing("verifier"):
        from keyturn_verifier.process import run
        from keyturn_verifier.settings import VerifierSettings

    run(_from_environment(VerifierSettings))


def _fetcher() -> None:
    with needing("verifier"):
        from keyturn_verifier.process import run_fetcher
        from keyturn_verifier.settings import FetcherSettings

    run_fetcher(_from_environment(FetcherSettings))


_PROCESSES: Final[dict[str, Callable[[], None]]] = {
    "credentials": _credentials,
    "verifier": _verifier,
    "fetcher": _fetcher,
}
