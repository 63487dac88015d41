"""The ``keyturn`` command, and ``python -m keyturn``."""

import sys
from collections.abc import Sequence
from typing import Final

from keyturn.extras import MissingExtraError, needing
from keyturn.refusing import refuse

EXTRA_OF: Final = {
    "admin": "credentials",
    "agent": "agent",
    "audit": "admin",
    "backup": "credentials",
    "cache": "admin",
    "clients": "admin",
    "completion": "admin",
    "config": "credentials",
    "console": "local",
    "credentials": "credentials",
    "doctor": "credentials",
    "events": "admin",
    "export": "credentials",
    "fetcher": "verifier",
    "fleet": "admin",
    "import": "credentials",
    "jwks": "verifier",
    "key-wrapping": "credentials",
    "keys": "admin",
    "log-keys": "credentials",
    "login": "admin",
    "logout": "admin",
    "migrate": "credentials",
    "notices": "admin",
    "policy": "admin",
    "probe": "probe",
    "realm-keys": "credentials",
    "realms": "admin",
    "restore": "credentials",
    "rotate": "admin",
    "rotations": "admin",
    "secrets": "admin",
    "up": "local",
    "verifier": "verifier",
}
"""The extra that a command needs. Each of them installs the command line too."""


def main() -> None:
    try:
        with needing(_extra_of(sys.argv[1:])):
            from keyturn.cli import app

            app()
    except MissingExtraError as error:
        sys.exit(refuse(error.detail))


def _extra_of(words: Sequence[str]) -> str:
    return next((EXTRA_OF[word] for word in words if word in EXTRA_OF), "local")


if __name__ == "__main__":
    main()
