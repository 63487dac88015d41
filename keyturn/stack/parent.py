"""Processes that end together with their parent."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import Final

_SET_PARENT_DEATH_SIGNAL: Final = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


def ending_with_parent(number: signal.Signals = signal.SIGTERM) -> Callable[[], None] | None:
    """Return the first action of a new process (``preexec_fn``): on Linux it requests that signal for its
    parent's death.

    Linux regards the thread that started it as the parent. Elsewhere None: nothing ends it.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl, parent = (
        ctypes.CDLL(None).prctl,
        os.getpid(),
    )  # loaded before the fork, after which loading is not safe

    def ask() -> None:
        prctl(_SET_PARENT_DEATH_SIGNAL, number)
        if os.getppid() != parent:
            os._exit(1)

    return ask
