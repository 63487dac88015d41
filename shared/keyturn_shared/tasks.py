"""Tasks that run as long as their service, and ending tasks for certain."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, Final

_AGAIN_SECONDS: Final = 0.1


async def end_tasks(*tasks: asyncio.Task[Any] | None) -> None:
    """Cancel tasks, and wait until they have ended.

    They are told again until they have: ``asyncio.wait_for`` of Python 3.11 loses a cancellation that comes
    at the very moment its future is done, and redis-py awaits through it wherever it sends a command.
    """
    pending = {task for task in tasks if task is not None and not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_AGAIN_SECONDS)
    _retrieve(tasks)


def _retrieve(tasks: Iterable[asyncio.Task[Any] | None]) -> None:
    """What they ended with was told where it happened: asyncio need not tell it once more."""
    for task in tasks:
        if task is not None and not task.cancelled():
            task.exception()


class Background(ABC):
    """Runs ``_run``, which does not end by itself, as a task of this ``name`` from ``start`` to ``stop``."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        await end_tasks(self._task)
        self._task = None

    @abstractmethod
    async def _run(self) -> None: ...
