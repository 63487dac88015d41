"""Locks beside a file that processes share. They end with the process that holds them."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from keyturn_shared.private_files import PRIVATE_FILE


@contextmanager
def locked(file: Path, *, name: str = "lock", wait: bool = True) -> Iterator[None]:
    """Hold a lock of this name for a file. Raises OSError; without ``wait``, BlockingIOError if another one
    holds it."""
    descriptor = os.open(file.with_name(f".{file.name}.{name}"), os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
