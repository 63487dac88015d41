"""A client's secret, and those that may be valid beside it while a rotation is under way."""

import json
from pathlib import Path

from keyturn_shared.errors import KeyturnError
from keyturn_shared.private_files import write_private


class SecretStateError(KeyturnError):
    """The file with the client's secrets cannot be read or written."""

    code = "secret_state"


class ClientSecret:
    """A client's secret. It is shown only by ``reveal``.

    ``secret``: as the client was configured with it. ``state``: a file that keeps the secrets of rotations,
    for a restart at any moment; what is in it goes before ``secret``. It is written atomically, with mode
    0600. Raises SecretStateError if it is there and cannot be read.
    """

    def __init__(self, secret: str, *, state: Path | None = None) -> None:
        self._state = state
        self._known = [*([] if state is None else _read(state)), secret]

    def __repr__(self) -> str:
        return "ClientSecret(***)"

    def reveal(self) -> str:
        """Return the secret in use."""
        return self._known[0]

    @property
    def others(self) -> tuple[str, ...]:
        """Former secrets, the newest first. One of them is valid if the rotation to the one in use was given
        up, or if an operator has configured another one."""
        return tuple(secret for secret in dict.fromkeys(self._known) if secret != self._known[0])

    def use(self, secret: str) -> None:
        """Use another secret from now on. It is in the file when this returns. Raises SecretStateError; then
        nothing has changed."""
        known = [secret, *(each for each in dict.fromkeys(self._known) if each != secret)][:3]
        if self._state is not None:
            try:
                write_private(self._state, json.dumps({"secrets": known[:2]}) + "\n")
            except OSError as error:
                raise SecretStateError(f"{self._state}: {error.strerror or error}") from error
        self._known = known


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
