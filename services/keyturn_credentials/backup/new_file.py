"""A new file that appears only when it is complete."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from keyturn_shared.errors import ConfigurationError
from keyturn_shared.private_files import PRIVATE_FILE

UNFINISHED: Final = ".unfinished"
"""End of the names of files that a killed process leaves."""


@contextmanager
def new_file(path: Path, *, replace: bool) -> Iterator[BinaryIO]:
    """Open a file for writing, mode 0600. It gets its name at the end of the block, when it is on disk; if
    the block raises, it is removed, and whatever had the name before stays.

    ``replace``: replace a file of that name. Raises ConfigurationError if it is there otherwise, or if it
    cannot be written.
    """
    _refuse_present(path, replace=replace)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}{UNFINISHED}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            _give_name(temporary, path, replace=replace)
        except BaseException:  # also on Ctrl-C
            temporary.unlink(missing_ok=True)
            raise
        _sync_directory(path.parent)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror or error}") from error


def _refuse_present(path: Path, *, replace: bool) -> None:
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise ConfigurationError(f"{path} is not a regular file")
    if path.exists() and not replace:
        raise ConfigurationError(f"{path} exists already: use --force to replace it")


def _give_name(temporary: Path, path: Path, *, replace: bool) -> None:
    if replace:
        temporary.replace(path)
        return
    with suppress(OSError):  # a file system without links: the check below is all there is
        path.hardlink_to(temporary)
        temporary.unlink()
        return
    _refuse_present(path, replace=False)
    temporary.replace(path)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
