"""One process of the stack: started, logged to a bounded file, ended within a time limit."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from keyturn.stack.logs import cut_log


class Child:
    """A process that runs one of the services.

    Its standard input is a pipe that nobody writes to: when the stack is killed the pipe closes, and the
    child ends itself (``keyturn.stack.service``). It has a session of its own, so Ctrl-C in the terminal
    reaches the stack alone, which then ends its children in order.
    """

    def __init__(
        self,
        name: str,
        service: str,
        base_url: str,
        environment: Mapping[str, str],
        *,
        log: Path,
        lock: int,
    ) -> None:
        self.name = name
        self.base_url = base_url
        self._service = service
        self._environment = dict(environment)
        self.log = log
        self._lock = lock
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """The process id. Only once started."""
        assert self._process is not None  # noqa: S101 - a mistake of the caller, not of the world
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative for the signal that ended it."""
        return None if self._process is None else self._process.returncode

    async def start(self) -> None:
        cut_log(self.log)
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "keyturn.stack.service",
                self._service,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=(self._lock,),
            )

    async def wait(self) -> str:
        """Until it ends; how it ended."""
        assert self._process is not None  # noqa: S101 - a mistake of the caller, not of the world
        await self._process.wait()
        return describe_exit(self.exit_code)

    async def stop(self, grace_seconds: float) -> None:
        """SIGTERM, then SIGKILL to its whole session when it has not ended in time."""
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


def describe_exit(code: int | None) -> str:
    """How a process with that exit code ended."""
    return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
