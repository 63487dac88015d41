"""Tools of the tests that no Python package provides ready to run; prepared once, in ``.tools``."""

import contextlib
import fcntl
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TOOLS = REPOSITORY / ".tools"


class ToolError(Exception):
    """A tool cannot be prepared or run; the message says what to install."""


def run(
    command: Sequence[object],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: str = "",
    seconds: float = 60.0,
) -> subprocess.CompletedProcess[str]:
    """Run to the end and capture the output. Raises ToolError after ``seconds``; the caller checks the exit
    code."""
    try:
        return subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env=dict(os.environ) | dict(environment or {}),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolError(f"{Path(str(command[0])).name}: {error}") from error


def must_run(command: Sequence[object], *, cwd: Path | None = None, seconds: float = 60.0) -> str:
    """Return its standard output. Raises ToolError with its output when it fails."""
    ended = run(command, cwd=cwd, seconds=seconds)
    if ended.returncode != 0:
        said = f"{ended.stdout}\n{ended.stderr}".strip()[-2000:]
        raise ToolError(f"{Path(str(command[0])).name} failed with exit code {ended.returncode}:\n{said}")
    return ended.stdout


def made_once(name: str, stamp: Path, version: str, make: Callable[[], None]) -> None:
    """Call ``make`` unless ``stamp`` names this version. One process works, others wait."""
    with _locked(name):
        if not stamp.is_file() or stamp.read_text() != version:
            make()
            stamp.write_text(version)


@contextlib.contextmanager
def _locked(name: str) -> Iterator[None]:
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
