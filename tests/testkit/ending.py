"""Termination of processes that a test started, in any state."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress

GRACE_SECONDS = 5.0
_POLL_SECONDS = 0.01


def end_process(handle: subprocess.Popen[bytes], seconds: float = GRACE_SECONDS) -> int:
    """Send SIGTERM, even to a stopped process, and SIGKILL after ``seconds``; return its exit code. Remaining
    processes of its own process group are killed as well."""
    handle.send_signal(signal.SIGTERM)
    handle.send_signal(signal.SIGCONT)
    deadline = time.monotonic() + seconds
    while not _has_ended(handle) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return kill_process(handle)


def kill_process(handle: subprocess.Popen[bytes]) -> int:
    """Send SIGKILL, to its whole process group if it leads one; return its exit code."""
    if handle.returncode is None:  # until it is waited for, its number is not reused
        with suppress(ProcessLookupError):
            if os.getpgid(handle.pid) == handle.pid:
                os.killpg(handle.pid, signal.SIGKILL)
        handle.kill()
    return handle.wait()


def end_each(ends: Iterable[Callable[[], object]]) -> None:
    """Call all of them, the last one first, even if some fail."""
    with ExitStack() as stack:
        for end in ends:
            stack.callback(end)


def _has_ended(handle: subprocess.Popen[bytes]) -> bool:
    """Check without waiting for it, so that its remaining children can still be found."""
    if handle.returncode is not None:
        return True
    return os.waitid(os.P_PID, handle.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
