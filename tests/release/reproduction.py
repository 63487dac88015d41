"""Builds of one checkout under different conditions, which must give the same octets."""

import hashlib
import os
import shutil
import tarfile
from pathlib import Path
from typing import Final

from tests.release.archives import Archives, build
from tests.release.checkout import REPOSITORY, tracked_files

_LATER: Final = (
    "import runpy, sys, time; "
    "now = time.time; time.time = lambda: now() + 40_000_000; "
    "sys.argv[0] = 'hatchling'; sys.argv.insert(1, 'build'); "
    "runpy.run_module('hatchling', run_name='__main__')"
)
"""A program that builds more than a year later."""
_ELSEWHERE: Final = {"PYTHONHASHSEED": "4711", "TZ": "Pacific/Chatham", "LC_ALL": "C"}
_LATER_FILES: Final = 1_900_000_000


def wrong_with_reproduction(archives: Archives, directory: Path) -> list[str]:
    """Build again in a new directory with another path, clock, umask, order of files, hash seed and time
    zone, and the wheel also from the source archive. Return sentences, none if all octets agree."""
    checkout = _copy(directory / "another" / "place")
    again = build(
        directory / "again", checkout=checkout, command=("-c", _LATER), environment=_ELSEWHERE, umask=0o077
    )
    wrong = [
        f"{one.name} is not the same when it is built again"
        for one, other in ((archives.wheel, again.wheel), (archives.source, again.source))
        if digest(one) != digest(other)
    ]
    unpacked = _unpack(archives.source, directory / "unpacked")
    from_source = build(directory / "from-source", "wheel", checkout=unpacked, environment=_ELSEWHERE)
    if digest(from_source.wheel) != digest(archives.wheel):
        wrong.append(f"{archives.wheel.name} is not the same when it is built from {archives.source.name}")
    return wrong


def digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _copy(directory: Path) -> Path:
    """Copy the checkout without what is not under version control, in the other order, for the owner only."""
    for name in sorted(tracked_files(), reverse=True):
        target = directory / name
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copy2(REPOSITORY / name, target, follow_symlinks=False)
        if not target.is_symlink():
            target.chmod(target.stat().st_mode & 0o700)
            os.utime(target, (_LATER_FILES, _LATER_FILES))
    return directory


def _unpack(source: Path, directory: Path) -> Path:
    with tarfile.open(source) as archive:
        archive.extractall(directory, filter="data")
    (only,) = directory.iterdir()
    return only
