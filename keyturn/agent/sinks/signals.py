"""A signal to the program that reads a file, found by its pid file."""

import logging
import os
import signal
from pathlib import Path

_log = logging.getLogger(__name__)


def send_signal(name: str, pid_file: str) -> None:
    """Send a signal, such as ``HUP``, to the process that a pid file names. A failure is logged: the written
    file is current in any case."""
    try:
        text = Path(pid_file).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        _log.warning("SIG%s is not sent: %s cannot be read: %s", name, pid_file, type(error).__name__)
        return
    # 0 and negative numbers would be process groups, and 1 is the machine's or the container's first process.
    if not (text.isascii() and text.isdecimal() and 1 < int(text) < 2**31):
        _log.warning("SIG%s is not sent: %s has no process id above 1", name, pid_file)
        return
    try:
        os.kill(int(text), signal.Signals[f"SIG{name}"])
    except OSError as error:
        _log.warning("SIG%s is not sent to process %s: %s", name, text, error.strerror)
