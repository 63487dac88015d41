"""Repeated reads, for commands that follow something."""

import time
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.rendering import Output

POLL_SECONDS: Final = 1.0
MAX_FAILURES: Final = 60
"""Failed reads in a row, after which a command that follows something gives up."""

Seen = TypeVar("Seen")


def poll(
    read: Callable[[], Seen], out: Output, *, sleep: Callable[[float], None] = time.sleep
) -> Iterator[Seen]:
    """Yield what is read, once a second. A server that restarts is waited for, and the person is told once.
    Raises CommandError."""
    failures = 0
    while True:
        try:
            seen = read()
        except CommandError as error:
            failures += 1
            if error.exit_code is not ExitCode.UNREACHABLE or failures >= MAX_FAILURES:
                raise
            if failures == 1:
                out.message(f"keyturn: {error.detail}; trying again")
        else:
            failures = 0
            yield seen
        sleep(POLL_SECONDS)
