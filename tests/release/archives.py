"""The wheel and the source archive, built from a checkout, and their faults."""

import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).parents[2]
_BUILD_SECONDS: Final = 180
_CARRIED: Final = (
    "services/keyturn_credentials/store/migrations/versions/*.py",
    "services/keyturn_credentials/console/**/*.js",
    "services/keyturn_credentials/console/**/*.css",
    "services/**/*.lua",
    "shared/**/*.lua",
)
"""Files that code reads at run time, and that a build could silently omit."""
_ROOTS: Final = ("services/", "shared/")
_NOT_CARRIED: Final = ("tests/", "benchmarks/", "deploy/")


@dataclass(frozen=True, slots=True)
class Archives:
    wheel: Path
    source: Path


def build(directory: Path) -> Archives:
    """Build both into ``directory``. Raises subprocess.CalledProcessError."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", str(directory)],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        timeout=_BUILD_SECONDS,
    )
    (wheel,), (source,) = directory.glob("*.whl"), directory.glob("*.tar.gz")
    return Archives(wheel, source)


def wrong_with(archives: Archives) -> list[str]:
    """Return sentences, none if both are correct."""
    with zipfile.ZipFile(archives.wheel) as wheel:
        names = set(wheel.namelist())
    with tarfile.open(archives.source) as source:
        sources = {name.partition("/")[2] for name in source.getnames()}
    carried = {
        path.relative_to(REPOSITORY).as_posix() for pattern in _CARRIED for path in REPOSITORY.glob(pattern)
    }
    wrong = [f"the wheel lacks {name}" for name in sorted(carried) if _without_root(name) not in names]
    wrong += [f"the source archive lacks {name}" for name in sorted(carried - sources)]
    wrong += [f"the wheel has {name}" for name in sorted(names) if name.startswith(_NOT_CARRIED)]
    return wrong


def _without_root(name: str) -> str:
    for root in _ROOTS:
        name = name.removeprefix(root)
    return name
