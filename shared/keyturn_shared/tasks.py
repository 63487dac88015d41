"""Ending tasks."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

_AGAIN_SECONDS: Final = 0.5


async def end_tasks(tasks: Iterable[asyncio.Task[Any]], *, again_seconds: float = _AGAIN_SECONDS) -> None:
    """Cancel tasks until they have ended, however they end.

    Once is not always enough: ``asyncio.wait_for`` of Python 3.11 swallows a cancellation that meets the end
    of the wait (cpython issue 86296), and redis-py uses it for every command that it sends.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        ended, pending = await asyncio.wait(pending, timeout=again_seconds)
        for task in ended:
            if not task.cancelled():
                task.exception()  # taken note of: it failed while it was told to end
