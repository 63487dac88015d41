"""The supervisor: starts the processes of a local stack, keeps them running, ends them in order."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Final

import httpx

from keyturn.services import EXIT_REFUSED
from keyturn.stack.child import Child
from keyturn.stack.errors import StackError
from keyturn.stack.terminal import Terminal

READY_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.05
_HEALTH_SECONDS: Final = 3.0
_BACKOFF_SECONDS: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
_STEADY_SECONDS: Final = 30.0
"""A process that ran this long before it ended is started again without a longer pause."""
_LOG_LOOK_SECONDS: Final = 5.0


class Supervisor:
    """Keeps a set of children running. ``changed`` is called when one got another process id."""

    def __init__(self, terminal: Terminal, *, changed: Callable[[], None]) -> None:
        self._terminal = terminal
        self._changed = changed

    async def start(self, children: Sequence[tuple[Child, str]]) -> None:
        """Start children, given with their base URLs, at once, and wait until all are ready.

        Raises StackError when one ends, or is not ready in time.
        """
        for child, _ in children:
            await child.start()
        async with httpx.AsyncClient(timeout=_HEALTH_SECONDS, trust_env=False) as http:
            await asyncio.gather(*(_until_ready(http, child, url) for child, url in children))

    async def keep(self, child: Child) -> None:
        """Start the child again whenever it ends. Never returns."""
        failures = 0
        while True:
            begun = time.monotonic()
            code = await child.wait()
            failures = 0 if time.monotonic() - begun > _STEADY_SECONDS else failures
            delay = _BACKOFF_SECONDS[min(failures, len(_BACKOFF_SECONDS) - 1)]
            failures += 1
            self._terminal.trouble(
                f"{child.name} ended ({describe_exit(code)}); starting it again in {delay} s",
                child.last_lines() if code > 0 else (),
            )
            await asyncio.sleep(delay)
            await child.start()
            self._changed()
            self._terminal.say(f"{child.name} runs again as process {child.pid}", "dim")

    async def cut_logs(self, children: Sequence[Child]) -> None:
        """Keep the logs bounded. Never returns."""
        while True:
            await asyncio.sleep(_LOG_LOOK_SECONDS)
            for child in children:
                try:
                    child.cut_log()
                except OSError as error:
                    self._terminal.trouble(f"the log of {child.name} cannot be cut: {error.strerror}")


async def _until_ready(http: httpx.AsyncClient, child: Child, base_url: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    reason = "it did not answer"
    while time.monotonic() < deadline:
        if child.exit_code is not None:
            raise StackError(describe_failed_start(child))
        with contextlib.suppress(httpx.HTTPError):
            answer = await http.get(f"{base_url}/health/ready")
            if answer.status_code == 200:
                return
            reason = answer.text
        await asyncio.sleep(_POLL_SECONDS)
    raise StackError(f"{child.name} was not ready within {READY_SECONDS:.0f} s: {reason}")


def describe_failed_start(child: Child) -> str:
    """Why a child ended before it was ready. A refusal of its settings is its own last line."""
    lines = child.last_lines()
    if child.exit_code == EXIT_REFUSED and lines:
        return f"{child.name}: {lines[-1].removeprefix('keyturn: ')}"
    ended = f"{child.name} ended ({describe_exit(child.exit_code)}) before it was ready"
    return "\n  ".join([f"{ended}; its last lines:", *lines])


def describe_exit(code: int | None) -> str:
    return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
