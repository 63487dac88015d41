"""Distributions of a role of keyturn, read from pyproject.toml and the installed packages."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Collection, Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_PROJECT: Final = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]


def required_by(*extras: str) -> set[str]:
    """Return the distributions that keyturn with these extras requires directly."""
    return {name for name, _ in _direct(extras)}


def brought_by(*extras: str) -> set[str]:
    """Return all distributions that ``pip install keyturn[extras]`` installs here, without keyturn."""
    found: set[tuple[str, frozenset[str]]] = set()
    waiting = list(_direct(extras))
    while waiting:
        asked = waiting.pop()
        if asked not in found:
            found.add(asked)
            waiting += _requirements_of(*asked)
    return {name for name, _ in found}


def _direct(extras: Collection[str]) -> Iterator[tuple[str, frozenset[str]]]:
    texts = list(_PROJECT["dependencies"])
    for extra in extras:
        texts += _PROJECT["optional-dependencies"][extra]
    for requirement in map(Requirement, texts):
        if requirement.name == "keyturn":
            yield from _direct(requirement.extras)
        elif requirement.marker is None or requirement.marker.evaluate():
            yield canonicalize_name(requirement.name), frozenset(requirement.extras)


@cache
def _requirements_of(name: str, extras: frozenset[str]) -> list[tuple[str, frozenset[str]]]:
    """Return the requirements of an installed distribution with these extras."""
    required: list[tuple[str, frozenset[str]]] = []
    for requirement in map(Requirement, metadata.requires(name) or ()):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in (*extras, "")):
            required.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
    return required


def files_of(distribution: str) -> set[Path]:
    """Return the files and folders in site-packages of an installed distribution."""
    installed = metadata.distribution(distribution)
    tops = {file.parts[0] for file in installed.files or ()} - {"..", "__pycache__"}
    return {Path(str(installed.locate_file(top))) for top in tops}


_REFUSE: Final = """
import json, sys

class Refuse:
    refused = frozenset(json.loads(sys.argv.pop(1)))

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] in cls.refused:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Refuse)
exec(sys.argv.pop(1))
"""


def run_with_only(
    distributions: Collection[str], code: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run code in which no module of any other distribution can be imported, as if they were not
    installed."""
    refused = [
        module
        for module, names in metadata.packages_distributions().items()
        if not set(map(canonicalize_name, names)) & set(distributions)
    ]
    command = [sys.executable, "-I", "-c", _REFUSE, json.dumps(refused), code, *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=100)
