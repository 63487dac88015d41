"""The supervisor: starts the processes of a local stack, keeps them running, ends them in order."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

import httpx

from keyturn.local.errors import StackError
from keyturn.local.terminal import Terminal
from keyturn.refusing import EXIT_REFUSED
from keyturn.stack.child import Child, describe_exit
from keyturn.stack.logs import last_lines
from keyturn_shared.errors import KeyturnError
from keyturn_shared.runtime.backoff import Backoff

READY_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.05
_HEALTH_SECONDS: Final = 3.0
_BACKOFF: Final = Backoff(first=0.2, longest=5.0)
_OWN_WORDS: Final = "keyturn: "
"""The beginning of a refusal, which may have several lines."""
_STEADY_SECONDS: Final = 30.0
"""A process that ran for this long before it ended is restarted without a longer pause."""


class Process(Protocol):
    """A process that can be kept running."""

    @property
    def name(self) -> str: ...
    @property
    def pid(self) -> int: ...
    @property
    def log(self) -> Path: ...
    async def start(self) -> None: ...
    async def wait(self) -> str: ...


class Supervisor:
    """Supervises the stack's processes. ``changed`` is called when a process has a new id."""

    def __init__(self, terminal: Terminal, *, changed: Callable[[], Awaitable[object]]) -> None:
        self._terminal = terminal
        self._changed = changed

    async def until_ready(self, children: Sequence[Child]) -> None:
        """Return when all are ready. Raises StackError when one ends, or is not ready in time."""
        async with httpx.AsyncClient(timeout=_HEALTH_SECONDS, trust_env=False) as http:
            await asyncio.gather(*(_until_ready(http, child) for child in children))

    async def keep(self, process: Process) -> None:
        """Restart a process whenever it ends. Never returns."""
        failures = 0
        while True:
            begun = time.monotonic()
            ended = await process.wait()
            failures = 1 if time.monotonic() - begun > _STEADY_SECONDS else failures + 1
            delay = _BACKOFF.seconds(failures)
            self._terminal.trouble(
                f"{process.name} ended ({ended}); restarting in {delay} s", last_lines(process.log)
            )
            await asyncio.sleep(delay)
            try:
                await process.start()
                await self._changed()
            except (OSError, KeyturnError) as error:
                self._terminal.trouble(f"{process.name}: {error}")
            else:
                self._terminal.say(f"{process.name} is running again as process {process.pid}", "dim")


async def _until_ready(http: httpx.AsyncClient, child: Child) -> None:
    deadline = time.monotonic() + READY_SECONDS
    reason = "it did not respond"
    while time.monotonic() < deadline:
        if child.exit_code is not None:
            raise StackError(describe_failed_start(child))
        with contextlib.suppress(httpx.HTTPError):
            answer = await http.get(f"{child.base_url}/health/ready")
            if answer.status_code == 200:
                return
            reason = answer.text
        await asyncio.sleep(_POLL_SECONDS)
    raise StackError(f"{child.name} was not ready within {READY_SECONDS:.0f} s: {reason}")


def describe_failed_start(child: Child) -> str:
    """Describe why a child ended before it was ready. What it refused is in its own last lines."""
    lines = last_lines(child.log)
    if child.exit_code == EXIT_REFUSED and lines:
        begun = [number for number, line in enumerate(lines) if line.startswith(_OWN_WORDS)]
        refusal = lines[begun[-1] if begun else -1 :]
        return "\n".join(f"{child.name}: {line.removeprefix(_OWN_WORDS)}" for line in refusal)
    ended = f"{child.name} ended ({describe_exit(child.exit_code)}) before it was ready"
    return "\n  ".join([f"{ended}; its last lines:", *lines])
