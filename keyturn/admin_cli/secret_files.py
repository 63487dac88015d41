"""Files to which a command writes a secret."""

import os
from pathlib import Path

from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn_shared.private_files import write_private


def check_secret_file(path: Path | None) -> None:
    """Check that a secret can be written, before it is made: it might be shown only once. None is no file.
    Raises CommandError."""
    if path is None:
        return
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise CommandError(f"{path} is not a regular file", ExitCode.USAGE)
    probe = path.with_name(f".{path.name}.{os.getpid()}.probe")
    _write(probe, "", path)
    probe.unlink(missing_ok=True)


def save_secret(path: Path, secret: str) -> None:
    """Write a secret to a file with mode 0600, atomically. Raises CommandError."""
    _write(path, secret, path)


def _write(path: Path, text: str, named: Path) -> None:
    try:
        write_private(path, text)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CommandError(f"{named} cannot be written: {reason}", ExitCode.USAGE) from error
