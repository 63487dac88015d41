"""Files with tokens or the secret, for programs that read files only."""

import asyncio
import logging
import os
import time
from asyncio.subprocess import DEVNULL
from pathlib import Path
from typing import Final, NoReturn

import httpx

from keyturn.agent.settings import WrittenFile
from keyturn.agent.sinks.env_file import env_line
from keyturn.agent.sinks.owners import has_owner, ids_of
from keyturn.agent.sinks.signals import send_signal
from keyturn.agent.sinks.status import Status
from keyturn.agent.tokens import Tokens, TooManyKindsError
from keyturn.client.access_token import NoTokenError
from keyturn.client.repeating import Sleep, repeat
from keyturn.client.secrets import ClientSecret
from keyturn.client.signer import SignerError
from keyturn_shared.private_files import write_private

_LOOK_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 60.0
_EARLY_SECONDS: Final = 30.0
_COMMAND_SECONDS: Final = 60.0

_log = logging.getLogger(__name__)


class FileWriter:
    """Keeps one file current. The file is replaced atomically: its readers see the old text or the new.
    ``secret``: for a file that holds it."""

    def __init__(
        self,
        file: WrittenFile,
        secret: ClientSecret | None,
        tokens: Tokens,
        http: httpx.AsyncClient,
        *,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._file = file
        self._secret = secret if file.holds == "secret" else None
        self._tokens = tokens
        self._http = http
        self._sleep = sleep
        self._written: str | None = None
        self.status = Status(f"file:{file.path}")

    async def run(self) -> NoReturn:
        """Write the file whenever its text changes. A failure is logged, without the text, and tried again
        at growing intervals."""
        await repeat(
            self.update,
            survives=(NoTokenError, TooManyKindsError, SignerError, httpx.HTTPError, OSError),
            failed=self._tell,
            longest_pause=_LONGEST_PAUSE_SECONDS,
            sleep=self._sleep,
        )

    async def update(self) -> float:
        """Write the file if its text has changed. Return the seconds after which to look again. Raises
        NoTokenError, TooManyKindsError, SignerError, OSError and errors of httpx."""
        with self.status.watch():
            return await self._update()

    async def _update(self) -> float:
        if self._secret is not None:
            text, wait = self._secret.reveal(), _LOOK_SECONDS
        else:
            token = await self._tokens.get(self._http, (self._file.scope, self._file.resource))
            text = token.text
            wait = max(_LOOK_SECONDS, token.expires_at - time.time() - _EARLY_SECONDS)
        if self._file.name is not None:
            text = env_line(self._file.name, text)
        path, owner = Path(self._file.path), ids_of(self._file.owner, self._file.group)
        if self._written is None and has_owner(path, owner):
            self._written = _text_of(path)
        if text != self._written:
            write_private(path, text, mode=int(self._file.mode, 8), owner=owner)
            self._written = text
            if self._file.command:
                await _run(self._file.command)
            if self._file.signal is not None and self._file.pid_file is not None:
                send_signal(self._file.signal, self._file.pid_file)
        return wait

    def _tell(self, error: Exception) -> None:
        _log.warning("%s is not current: %s", self._file.path, type(error).__name__)


async def _run(command: list[str]) -> None:
    """Run a command, with a time limit. Its failure is logged: the file is current in any case."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, env=_without_secrets()
        )
    except OSError as error:
        _log.warning("%s cannot be run: %s", command[0], error.strerror or error)
        return
    try:
        async with asyncio.timeout(_COMMAND_SECONDS):
            code = await process.wait()
    except TimeoutError:
        _log.warning("%s did not end within %.0f s", command[0], _COMMAND_SECONDS)
        return
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if code:
        _log.warning("%s ended with exit code %d", command[0], code)


def _text_of(path: Path) -> str | None:
    """Return what is in the file; None if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _without_secrets() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("KEYTURN_")}
