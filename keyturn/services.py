"""The services as processes: settings from the environment, one clear line when they cannot be used."""

import os
import sys
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Final, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from keyturn_shared.errors import ConfigurationError, KeyturnError

EXIT_REFUSED: Final = 2
"""Exit code of a process that could not start as it was configured: starting it again would not help."""

Settings = TypeVar("Settings", bound=BaseSettings)

_PREFIX: Final = "KEYTURN_"
_FILE: Final = "_FILE"
_MAX_SECRET_BYTES: Final = 65_536


def run_service(name: str) -> int:
    """Run ``credentials``, ``verifier`` or ``fetcher`` until it is told to end; the exit code."""
    return run_configured(_PROCESSES[name])


def run_configured(work: Callable[[], None]) -> int:
    """Do what reads its settings from the environment; the exit code. What is wrong is said in one line."""
    try:
        read_secret_files(os.environ)
        work()
    except ValidationError as error:
        return refuse(describe_settings_error(error))
    except KeyturnError as error:
        return refuse(error.detail)
    return 0


def refuse(detail: str) -> int:
    """Say on standard error why nothing was started; the exit code to end with."""
    sys.stderr.write(f"keyturn: {detail}\n")
    sys.stderr.flush()
    return EXIT_REFUSED


def read_secret_files(environment: MutableMapping[str, str]) -> None:
    """Set ``KEYTURN_X`` from the file that ``KEYTURN_X_FILE`` names, as container secrets are given.

    Raises ConfigurationError when the file cannot be read, or both are set.
    """
    for variable in [name for name in environment if name.startswith(_PREFIX) and name.endswith(_FILE)]:
        name = variable.removesuffix(_FILE)
        if environment.get(name):
            raise ConfigurationError(f"{name} and {variable} are both set")
        try:
            with Path(environment[variable]).open("rb") as file:
                environment[name] = file.read(_MAX_SECRET_BYTES).decode().strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise ConfigurationError(f"{variable}: {environment[variable]}: {reason}") from error


def describe_settings_error(error: ValidationError) -> str:
    """Which variables cannot be used and why, without their values: they may be secrets."""
    return "; ".join(
        f"{_PREFIX}{'_'.join(str(part) for part in problem['loc'] if isinstance(part, str)).upper()}: "
        f"{problem['msg']}"
        for problem in error.errors(include_url=False, include_input=False, include_context=False)
    )


def _from_environment(kind: type[Settings]) -> Settings:
    return kind()


def _credentials() -> None:
    from keyturn_credentials.process import run
    from keyturn_credentials.settings import CredentialsSettings

    run(_from_environment(CredentialsSettings))


def _verifier() -> None:
    from keyturn_verifier.process import run
    from keyturn_verifier.settings import VerifierSettings

    run(_from_environment(VerifierSettings))


def _fetcher() -> None:
    from keyturn_verifier.process import run_fetcher
    from keyturn_verifier.settings import VerifierSettings

    run_fetcher(_from_environment(VerifierSettings))


_PROCESSES: Final[dict[str, Callable[[], None]]] = {
    "credentials": _credentials,
    "verifier": _verifier,
    "fetcher": _fetcher,
}
