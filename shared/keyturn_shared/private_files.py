"""Atomic writes of files that only their owner can read, unless their mode says otherwise."""

import os
import secrets
from pathlib import Path

PRIVATE_DIRECTORY = 0o700
PRIVATE_FILE = 0o600


def write_private(
    path: Path, text: str, *, mode: int = PRIVATE_FILE, owner: tuple[int, int] = (-1, -1)
) -> None:
    """Replace a file atomically: a reader, or a crash, sees the old text or the new one. ``owner``: ids of
    user and group, -1 for those of the process. Raises OSError."""
    # By chance, since two containers may have the same process id and share the directory.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            if owner != (-1, -1):
                os.fchown(file.fileno(), *owner)
            if mode != PRIVATE_FILE:
                os.fchmod(file.fileno(), mode)  # whatever the umask is
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:  # also on Ctrl-C: a secret must not remain in a forgotten file
        temporary.unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
