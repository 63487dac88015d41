"""Settings of keyturn's processes, for files that configure them from outside."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.service_settings import ServiceSettings
from keyturn_verifier.settings import FetcherSettings, VerifierSettings

_SETTINGS: Final[Mapping[str, type[ServiceSettings]]] = {
    "credentials": CredentialsSettings,
    "verifier": VerifierSettings,
    "fetcher": FetcherSettings,
}


def known_settings(process: str) -> set[str]:
    """Return the names of the variables that ``credentials``, ``verifier`` or ``fetcher`` reads."""
    names = {f"KEYTURN_{name.upper()}" for name in _SETTINGS[process].model_fields}
    return names | {f"{name}_FILE" for name in names}


def read_settings(
    process: str, environment: Mapping[str, str], secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> ServiceSettings:
    """Read the settings as the process does. ``secrets``: the directory of the files that variables name.
    Raises ConfigurationError and pydantic.ValidationError."""
    for name in known_settings(process):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        assert name in known_settings(process), f"{process} does not know {name}"
        if name.endswith("_FILE"):
            monkeypatch.setenv(name.removesuffix("_FILE"), (secrets / Path(value).name).read_text())
        else:
            monkeypatch.setenv(name, value)
    return _SETTINGS[process]()
