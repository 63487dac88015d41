"""Cancellation of tasks, and waiting for an event with a time limit."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

_AGAIN_SECONDS: Final = 0.1


async def end_tasks(*tasks: asyncio.Task[Any] | None) -> None:
    """Cancel tasks, and wait until they have ended.

    They are cancelled repeatedly: ``asyncio.wait_for`` of Python 3.11 loses a cancellation that comes at the
    very moment its future is done, and redis-py uses it wherever it sends a command.
    """
    pending = {task for task in tasks if task is not None and not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_AGAIN_SECONDS)
    _retrieve(tasks)


async def wait_for_event(event: asyncio.Event, seconds: float) -> bool:
    """Wait until the event is set, at most ``seconds``. Return whether it was."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


def _retrieve(tasks: Iterable[asyncio.Task[Any] | None]) -> None:
    """Mark the results as retrieved: errors were reported where they happened, and asyncio need not repeat
    them."""
    for task in tasks:
        if task is not None and not task.cancelled():
            task.exception()
