"""One process of the stack: started, logged to a bounded file, ended within a time limit."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Final

LOG_BYTES: Final = 10_000_000
"""A log is cut when it is longer; the part before is kept once, beside it, as ``.1``."""


class Child:
    """A process that runs one of the services.

    Its standard input is a pipe that nobody writes to: when the stack is killed the pipe closes, and the
    child ends itself (``keyturn.stack.service``). It has a session of its own, so Ctrl-C in the terminal
    reaches the stack alone, which then ends its children in order.
    """

    def __init__(
        self, name: str, service: str, environment: Mapping[str, str], *, log: Path, lock: int
    ) -> None:
        self.name = name
        self._service = service
        self._environment = dict(environment)
        self._log = log
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
        self.cut_log()
        with self._log.open("ab") as output:
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

    async def wait(self) -> int:
        """Until it ends; its exit code."""
        assert self._process is not None  # noqa: S101 - a mistake of the caller, not of the world
        return await self._process.wait()

    async def stop(self, grace_seconds: float) -> None:
        """SIGTERM, then SIGKILL to its whole session when it has not ended in time."""
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), grace_seconds)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()

    def cut_log(self) -> None:
        """Keep the log bounded. The child appends to the open file, so it is copied and emptied."""
        with contextlib.suppress(FileNotFoundError):
            if self._log.stat().st_size > LOG_BYTES:
                self._log.with_name(f"{self._log.name}.1").write_bytes(self._log.read_bytes())
                os.truncate(self._log, 0)

    def last_lines(self, count: int = 12) -> list[str]:
        """The end of its log."""
        with contextlib.suppress(FileNotFoundError), self._log.open("rb") as file:
            file.seek(max(0, self._log.stat().st_size - 16_384))
            return [line.decode("utf-8", "replace").rstrip() for line in deque(file, count)]
        return []
