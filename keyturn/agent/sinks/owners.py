"""Owner and group of a written file."""

import errno
import grp
import os
import pwd
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from keyturn_shared.errors import KeyturnError

_UNCHANGED: Final = -1
_NOBODY: Final = 2**32 - 1
"""No id: it is the same as -1."""


class FileOwnerError(KeyturnError):
    """A file cannot be given to the owner or group of the settings."""

    code = "file_owner"


def ids_of(owner: str | None, group: str | None) -> tuple[int, int]:
    """Return the ids of a user and a group, names or numbers; -1 for None. Raises OSError."""
    uid = _id_of(owner, "user", lambda name: pwd.getpwnam(name).pw_uid)
    return uid, _id_of(group, "group", lambda name: grp.getgrnam(name).gr_gid)


def has_owner(path: Path, ids: tuple[int, int]) -> bool:
    """Return whether a file has this owner and group; -1 is any."""
    try:
        found = path.stat()
    except OSError:
        return False
    return all(
        wanted in (_UNCHANGED, actual)
        for wanted, actual in zip(ids, (found.st_uid, found.st_gid), strict=True)
    )


def check_owner(path: Path, owner: str | None, group: str | None) -> None:
    """Try it on an empty file in the same directory, which is removed. Raises FileOwnerError if files cannot
    be given away; a directory that is not there yet is no error."""
    if owner is None and group is None:
        return
    try:
        ids = ids_of(owner, group)
    except OSError as error:
        raise FileOwnerError(f"{path}: {error.strerror}") from error
    try:
        descriptor, probe = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError:
        return
    try:
        os.fchown(descriptor, *ids)
    except OSError as error:
        whom = ":".join(each or "" for each in (owner, group))
        needed = "the agent needs CAP_CHOWN for another owner, and membership for another group"
        raise FileOwnerError(f"{path} cannot be given to {whom}: {error.strerror}; {needed}") from error
    finally:
        os.close(descriptor)
        Path(probe).unlink(missing_ok=True)


def _id_of(named: str | None, kind: str, look_up: Callable[[str], int]) -> int:
    if named is None:
        return _UNCHANGED
    try:
        found = int(named) if named.isdecimal() else look_up(named)
    except KeyError:
        found = _NOBODY
    if not 0 <= found < _NOBODY:
        raise OSError(errno.EINVAL, f"there is no {kind} {named}")
    return found
