"""A client's secret, and those that may be valid beside it while a rotation is under way."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from keyturn.client.file_lock import locked
from keyturn_shared.errors import KeyturnError
from keyturn_shared.private_files import write_private

_KEPT: Final = 3
"""Secrets in the file: the one in use, and those before it."""


class SecretStateError(KeyturnError):
    """The file with the client's secrets cannot be read or written."""

    code = "secret_state"


class ClientSecret:
    """A client's secret. It is shown only by ``reveal``.

    ``secret``: as the client was configured with it. ``state``: a file that keeps the secrets of rotations,
    for a restart at any moment; what is in it takes precedence over ``secret``. It is written atomically,
    with mode 0600; processes of one client on one machine may share it. Raises SecretStateError if it is
    there and cannot be read.
    """

    def __init__(self, secret: str, *, state: Path | None = None) -> None:
        self._state = state
        self._configured = secret
        self._known = [*([] if state is None else _read(state)), secret]

    def __repr__(self) -> str:
        return "ClientSecret(***)"

    def reveal(self) -> str:
        """Return the secret in use."""
        return self._known[0]

    def others(self, refused: str) -> tuple[str, ...]:
        """Return the known secrets except one that was refused, the newest first, also those that another
        process has stored. One of them is valid if the rotation to the refused one was given up, or if an
        operator has configured another one."""
        stored: list[str] = []
        if self._state is not None:
            with suppress(SecretStateError):
                stored = _read(self._state)
        return tuple(each for each in dict.fromkeys([*stored, *self._known]) if each != refused)

    def use(self, secret: str) -> None:
        """Use another secret from now on. It is in the file when this returns. Raises SecretStateError; then
        the secret in use is the same as before."""
        if self._state is None:
            self._known = [secret, *(each for each in self._known if each != secret)][:_KEPT]
            return
        try:
            with locked(self._state):
                # Another process may have stored a newer one.
                kept = list(dict.fromkeys([secret, *_read(self._state), *self._known]))[:_KEPT]
                write_private(self._state, json.dumps({"secrets": kept}) + "\n")
        except OSError as error:
            raise SecretStateError(f"{self._state}: {error.strerror or error}") from error
        self._known = [*kept, *([] if self._configured in kept else [self._configured])]

    def check(self) -> None:
        """Raise SecretStateError if the file could not be written."""
        if self._state is None:
            return
        directory = self._state.absolute().parent
        if not os.access(directory, os.W_OK | os.X_OK):
            raise SecretStateError(f"{directory} is not a directory that can be written to")


def _read(state: Path) -> list[str]:
    try:
        secrets = json.loads(state.read_text(encoding="utf-8"))["secrets"]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SecretStateError(f"{state}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError):
        raise SecretStateError(f"{state} is not a file of a client's secrets") from None
    if not isinstance(secrets, list) or not all(isinstance(each, str) and each for each in secrets):
        raise SecretStateError(f"{state} is not a file of a client's secrets")
    return secrets
