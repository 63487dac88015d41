"""Surroundings of a long import: its progress on standard error, and no garbage collection meanwhile."""

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_WORTH_TELLING: Final = 1000
"""Minimum number of clients for which progress is printed."""


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Stop the cyclic garbage collector: searching a whole export again and again costs a fifth of an import,
    and finds nothing before the end."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def shown_progress() -> Iterator[Callable[[int, int], None]]:
    """Print an import's progress to standard error: on one line of a terminal, otherwise a line per tenth."""
    in_place, tenths = sys.stderr.isatty(), 0

    def tell(done: int, of: int) -> None:
        nonlocal tenths
        now, before = done * 10 // of, tenths
        tenths = now
        if in_place:
            sys.stderr.write(f"\r{done:,} of {of:,} clients")
            sys.stderr.flush()
        elif now > before and of > _WORTH_TELLING:
            sys.stderr.write(f"{done:,} of {of:,} clients\n")
            sys.stderr.flush()

    try:
        yield tell
    finally:
        if in_place:
            sys.stderr.write("\r\033[K")
