"""The services as processes: settings from the environment, and one clear line if they are invalid."""

import os
import sys
from collections.abc import Callable, Container, MutableMapping
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
_WORKER: Final = "keyturn.verifier_worker"


def run_service(name: str) -> int:
    """Run ``credentials``, ``verifier`` or ``fetcher`` until it is told to end. Return the exit code."""
    return run_configured(_PROCESSES[name])


def run_verifier() -> int:
    """Run a node until it is told to end: in this process, or in as many workers as are configured. Return
    the exit code."""
    inherited = dict(os.environ)

    def run() -> int:
        with needing("verifier"):
            from keyturn_verifier.process_settings import ProcessSettings, WorkerCount
        _read_files_of(ProcessSettings, os.environ)
        if WorkerCount().workers == 1:
            return run_service("verifier")
        with needing("verifier"):
            from keyturn_verifier.workers.parent import run_parent
        _read_files_of(ProcessSettings, inherited)
        return run_parent(ProcessSettings(), (sys.executable, "-m", _WORKER), inherited)

    return _one_line_for_errors(run)


def run_worker(slot: int, descriptor: int) -> int:
    """Run one of a node's workers until its parent tells it to end. Return the exit code."""

    def run() -> None:
        with needing("verifier"):
            from keyturn_verifier.settings import VerifierSettings
            from keyturn_verifier.workers.worker import run_worker as run_with

        run_with(_from_environment(VerifierSettings), slot, descriptor)

    return run_configured(run)


def run_configured(work: Callable[[], None]) -> int:
    """Run work that reads its settings from the environment. Return the exit code. An error is one line."""

    def run() -> int:
        read_secret_files(os.environ)
        work()
        return 0

    return _one_line_for_errors(run)


def read_secret_files(environment: MutableMapping[str, str], names: Container[str] | None = None) -> None:
    """Set ``KEYTURN_X`` from the file named by ``KEYTURN_X_FILE``, the usual form of container secrets.
    ``names``: only these variables. Raises ConfigurationError when the file cannot be read, or both are
    set."""
    for variable in [name for name in environment if name.startswith(_PREFIX) and name.endswith(_FILE)]:
        name = variable.removesuffix(_FILE)
        if names is not None and name not in names:
            continue
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


def _one_line_for_errors(work: Callable[[], int]) -> int:
    try:
        return work()
    except ValidationError as error:
        return refuse(describe_settings_error(error))
    except KeyturnError as error:
        return refuse(error.detail)


def _read_files_of(kind: type[BaseSettings], environment: MutableMapping[str, str]) -> None:
    """Replace the ``_FILE`` variables of these settings by their values: the parent of workers reads no other
    secret."""
    names = {f"{_PREFIX}{name.upper()}" for name in kind.model_fields}
    read_secret_files(environment, names)
    for name in names:
        environment.pop(name + _FILE, None)


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
