"""The services as processes: settings from the environment, and a clear line for each that is invalid."""

import os
import sys
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from keyturn.checked_settings import checked_settings, describe_settings_error, read_secret_files
from keyturn.extras import needing
from keyturn.known_variables import FILE, PREFIX, unknown_variables
from keyturn.refusing import refuse
from keyturn_shared.errors import KeyturnError
from keyturn_shared.service_settings import ServiceSettings
from keyturn_shared.setting_problems import raise_all

_WORKER: Final = "keyturn.verifier_worker"


def run_service(name: str) -> int:
    """Run ``credentials``, ``verifier`` or ``fetcher`` until it is told to end. Return the exit code."""

    def run() -> int:
        settings, serve = _PROCESSES[name]()
        serve(checked_settings(settings, os.environ))
        return 0

    return _one_line_for_errors(run)


def run_verifier() -> int:
    """Run a node until it is told to end: in this process, or in as many workers as are configured. Return
    the exit code."""
    inherited = dict(os.environ)

    def run() -> int:
        with needing("verifier"):
            from keyturn_verifier.process_settings import ProcessSettings, WorkerCount
        try:
            _read_files_of(ProcessSettings, os.environ)
            is_alone = WorkerCount().workers == 1
        except (ValidationError, KeyturnError):
            _restore(inherited)
            is_alone = True  # it reports this with everything else that is wrong
        if is_alone:
            return run_service("verifier")
        raise_all(unknown_variables(inherited))
        with needing("verifier"):
            from keyturn_verifier.workers.parent import run_parent
        _read_files_of(ProcessSettings, inherited)
        return run_parent(ProcessSettings(), (sys.executable, "-m", _WORKER), inherited)

    return _one_line_for_errors(run)


def run_worker(slot: int, descriptor: int) -> int:
    """Run one of a node's workers until its parent tells it to end. Return the exit code."""

    def run() -> int:
        with needing("verifier"):
            from keyturn_verifier.settings import VerifierSettings
            from keyturn_verifier.workers.worker import run_worker as run_with

        run_with(checked_settings(VerifierSettings, os.environ), slot, descriptor)
        return 0

    return _one_line_for_errors(run)


def run_configured(work: Callable[[], None]) -> int:
    """Run work that reads its settings from the environment. Return the exit code. An error is one line."""

    def run() -> int:
        read_secret_files(os.environ)
        work()
        return 0

    return _one_line_for_errors(run)


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
    names = {f"{PREFIX}{name.upper()}" for name in kind.model_fields}
    read_secret_files(environment, names)
    for name in names:
        environment.pop(name + FILE, None)


def _restore(environment: Mapping[str, str]) -> None:
    """Give this process the environment that it began with."""
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ.update(environment)


def settings_of(name: str) -> type[ServiceSettings]:
    """Return the kind of settings of ``credentials``, ``verifier`` or ``fetcher``."""
    return _PROCESSES[name]()[0]


def _credentials() -> tuple[type[ServiceSettings], Callable[[Any], None]]:
    with needing("credentials"):
        from keyturn_credentials.process import run
        from keyturn_credentials.settings import CredentialsSettings

    return CredentialsSettings, run


def _verifier() -> tuple[type[ServiceSettings], Callable[[Any], None]]:
    with needing("verifier"):
        from keyturn_verifier.process import run
        from keyturn_verifier.settings import VerifierSettings

    return VerifierSettings, run


def _fetcher() -> tuple[type[ServiceSettings], Callable[[Any], None]]:
    with needing("verifier"):
        from keyturn_verifier.process import run_fetcher
        from keyturn_verifier.settings import FetcherSettings

    return FetcherSettings, run_fetcher


_PROCESSES: Final[dict[str, Callable[[], tuple[type[ServiceSettings], Callable[[Any], None]]]]] = {
    "credentials": _credentials,
    "verifier": _verifier,
    "fetcher": _fetcher,
}
