"""The checkout that is released, as Git sees it."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).parents[2]


class ReleaseError(Exception):
    """A sentence about what keeps this commit from being released."""


def git(*arguments: str) -> str:
    """Return what Git prints. Raises subprocess.CalledProcessError."""
    answer = subprocess.run(
        ["git", *arguments], cwd=REPOSITORY, check=True, capture_output=True, text=True, timeout=60
    )
    return answer.stdout


def tracked_files() -> set[str]:
    """Return the names of the files under version control, and of new ones that Git does not ignore."""
    names = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    return {name for name in names if name and (REPOSITORY / name).exists()}


def source_date() -> datetime:
    """Return the date of the commit, or SOURCE_DATE_EPOCH (seconds since 1970) where that is set.

    Raises ReleaseError.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch is None:
        try:
            epoch = git("log", "-1", "--format=%ct").strip()
        except (subprocess.CalledProcessError, FileNotFoundError):
            message = "this is no checkout with Git; set SOURCE_DATE_EPOCH to the time of the commit"
            raise ReleaseError(message) from None
    try:
        return datetime.fromtimestamp(int(epoch), UTC)
    except (ValueError, OverflowError, OSError):
        raise ReleaseError(f"SOURCE_DATE_EPOCH is {epoch!r}, not a number of seconds since 1970") from None
