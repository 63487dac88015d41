"""Size-limited logs of the stack's processes."""

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from keyturn.local.terminal import Terminal

LOG_BYTES: Final = 10_000_000
"""Size at which a log is truncated; its content is kept once, next to it, as ``.1``."""

_POLL_SECONDS: Final = 5.0
_TAIL_BYTES: Final = 16_384


def cut_log(log: Path) -> None:
    """Truncate a log that is too long. Its writer appends to the open file, so the file stays in place."""
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > LOG_BYTES:
            log.with_name(f"{log.name}.1").write_bytes(log.read_bytes())
            os.truncate(log, 0)


def last_lines(log: Path, count: int = 6) -> list[str]:
    """Return the last lines of a log."""
    with contextlib.suppress(FileNotFoundError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        return [line.decode("utf-8", "replace").rstrip() for line in deque(file, count)]
    return []


async def keep_logs_short(logs: Sequence[Path], terminal: Terminal) -> None:
    """Truncate logs that grow too long. Never returns."""
    while True:
        await asyncio.sleep(_POLL_SECONDS)
        for log in logs:
            try:
                cut_log(log)
            except OSError as error:
                terminal.trouble(f"{log} cannot be truncated: {error.strerror}")
