"""The wheel and the source archive, built from a checkout, and their faults."""

import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.release.checkout import REPOSITORY, tracked_files

SOURCE_DATE_EPOCH: Final = "1580601600"
"""The date of all files in both: hatchling's own, so that who builds without this variable gets the same."""
_BUILD_SECONDS: Final = 180
_BUILD: Final = ("-m", "hatchling", "build")
_CARRIED: Final = (
    "services/keyturn_credentials/store/migrations/versions/*.py",
    "services/keyturn_credentials/console/**/*.js",
    "services/keyturn_credentials/console/**/*.css",
    "services/**/*.lua",
    "shared/**/*.lua",
)
"""Files that code reads at run time, and that a build could silently omit."""
_WHEEL_ROOTS: Final = {
    "keyturn": "",
    "keyturn_credentials": "services/",
    "keyturn_verifier": "services/",
    "keyturn_shared": "shared/",
}
_WHEEL_METADATA: Final = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
_NOT_IN_SOURCE: Final = ("benchmarks/", "docs/images/")
_FOLLOWED: Final = ("deploy/kubernetes/keyturn/files/dashboards", "deploy/grafana")
"""A link to a directory, which the source archive has as a copy, and its target."""
_MADE_FOR_SOURCE: Final = {"PKG-INFO"}


@dataclass(frozen=True, slots=True)
class Archives:
    wheel: Path
    source: Path


def build(
    directory: Path,
    *targets: str,
    checkout: Path = REPOSITORY,
    command: tuple[str, ...] = _BUILD,
    environment: Mapping[str, str] | None = None,
    umask: int = 0o022,
) -> Archives:
    """Build both, or these ``targets`` of hatchling, into ``directory``.

    ``command``: runs hatchling, as arguments of Python. Raises subprocess.CalledProcessError.
    """
    options = [option for target in targets for option in ("--target", target)]
    subprocess.run(
        [sys.executable, *command, *options, "--directory", str(directory)],
        cwd=checkout,
        env={**os.environ, "SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH, **(environment or {})},
        umask=umask,
        check=True,
        capture_output=True,
        timeout=_BUILD_SECONDS,
    )
    return Archives(_only(directory, "*.whl"), _only(directory, "*.tar.gz"))


def _only(directory: Path, pattern: str) -> Path:
    return next(directory.glob(pattern), directory / pattern)


def wrong_with(archives: Archives) -> list[str]:
    """Return sentences, none if both are correct."""
    wheel, source = read_wheel(archives.wheel), read_source(archives.source)
    carried = {
        path.relative_to(REPOSITORY).as_posix() for pattern in _CARRIED for path in REPOSITORY.glob(pattern)
    }
    in_wheel = {_origin(name) for name in wheel}
    wanted = {name for name in tracked_files() if not name.startswith(_NOT_IN_SOURCE)} - {_FOLLOWED[0]}
    wrong = [f"the wheel lacks {name}" for name in sorted(carried - in_wheel)]
    wrong += [f"the source archive lacks {name}" for name in sorted((carried | wanted) - source.keys())]
    wrong += wrong_with_wheel(wheel) + wrong_with_source(source)
    return wrong


def wrong_with_wheel(wheel: Mapping[str, bytes]) -> list[str]:
    """Return a sentence for each file that is not one of the checkout's, unchanged, or known metadata."""
    tracked, wrong = tracked_files(), []
    for name, octets in sorted(wheel.items()):
        folder, _, rest = name.partition("/")
        if folder.endswith(".dist-info"):
            if rest not in _WHEEL_METADATA:
                wrong.append(f"the wheel has {name}")
        else:
            wrong += _compare("the wheel", name, _origin(name), octets, tracked)
    return wrong + _with_paths("the wheel", wheel)


def wrong_with_source(source: Mapping[str, bytes]) -> list[str]:
    """Return a sentence for each file that is not one of the checkout's, unchanged, or known metadata."""
    tracked, wrong = tracked_files(), []
    for name, octets in sorted(source.items()):
        link, target = _FOLLOWED
        origin = name.replace(link, target, 1) if name.startswith(f"{link}/") else name
        if name not in _MADE_FOR_SOURCE:
            wrong += _compare("the source archive", name, origin, octets, tracked)
        if name.startswith(_NOT_IN_SOURCE):
            wrong.append(f"the source archive has {name}")
    return wrong + _with_paths("the source archive", source)


def read_wheel(path: Path) -> dict[str, bytes]:
    """Return the files of a wheel by name."""
    with zipfile.ZipFile(path) as wheel:
        return {name: wheel.read(name) for name in wheel.namelist()}


def read_source(path: Path) -> dict[str, bytes]:
    """Return the files of a source archive by name, without its directory; links as what they lead to."""
    with tarfile.open(path) as source:
        found = {}
        for member in source.getmembers():
            file = source.extractfile(member)
            if file is not None:
                found[member.name.partition("/")[2]] = file.read()
        return found


def _origin(name: str) -> str | None:
    """Return the file of the checkout that a file of the wheel is; None if packages have none such."""
    root = _WHEEL_ROOTS.get(name.partition("/")[0])
    return None if root is None else root + name


def _compare(archive: str, name: str, origin: str | None, octets: bytes, tracked: set[str]) -> list[str]:
    if origin is None or origin not in tracked:
        return [f"{archive} has {name}, which is not under version control"]
    if (REPOSITORY / origin).read_bytes() != octets:
        return [f"{archive} has another {name} than the checkout"]
    return []


def _with_paths(archive: str, files: Mapping[str, bytes]) -> list[str]:
    """Return a sentence for each file with a path of this machine."""
    paths = [str(path).encode() for path in {REPOSITORY, Path(sys.prefix), Path.cwd()} if path != Path("/")]
    return [
        f"{archive} has a path of this machine in {name}"
        for name, octets in sorted(files.items())
        if any(path in octets for path in paths)
    ]
