"""One process of the stack: started, logged to a bounded file, ended within a time limit."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from keyturn.stack.logs import cut_log
from keyturn.stack.parent import ending_with_parent


class Child:
    """A process that answers at a base URL.

    It has its own session, so Ctrl-C in the terminal reaches only the stack, which then ends its children in
    order. It also ends when the stack was killed. One that ``watches`` notices that itself: its standard
    input is a pipe without a writer, which then closes (``keyturn.stack.service``). For others Linux does it.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        base_url: str,
        environment: Mapping[str, str],
        *,
        log: Path,
        lock: int,
        watches: bool = True,
    ) -> None:
        self.name = name
        self.base_url = base_url
        self._command = tuple(command)
        self._watches = watches
        self._environment = dict(environment)
        self.log = log
        self._lock = lock
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """The process id, once started."""
        assert self._process is not None  # noqa: S101 - a mistake in code
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative for the signal that ended it."""
        return None if self._process is None else self._process.returncode

    async def start(self) -> None:
        cut_log(self.log)
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                env=self._environment,
                stdin=subprocess.PIPE if self._watches else subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=(self._lock,),
                preexec_fn=None if self._watches else ending_with_parent(),
            )

    async def wait(self) -> str:
        """Wait until it ends. Return how it ended."""
        assert self._process is not None  # noqa: S101 - a mistake in code
        await self._process.wait()
        return describe_exit(self.exit_code)

    async def stop(self, grace_seconds: float) -> None:
        """Send SIGTERM, then SIGKILL to its whole session if it has not ended in time."""
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace_seconds):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()


def service_command(name: str) -> Sequence[str]:
    """Return the command that runs one of keyturn's services as a child."""
    return (sys.executable, "-m", "keyturn.stack.service", name)


def describe_exit(code: int | None) -> str:
    """Describe how a process with that exit code ended."""
    return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
