"""A copy of the repository with one root, in which mutmut works.

mutmut knows a module by its path from the project's root or from ``src``. The packages of the three roots are
therefore laid side by side. What it found is kept there for as long as the mutated function is unchanged.
"""

import json
import shutil
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from tests.testkit.tools import REPOSITORY

_TREES: Final = REPOSITORY / ".mutants"
_PACKAGES: Final = {
    "keyturn": REPOSITORY / "keyturn",
    "keyturn_credentials": REPOSITORY / "services" / "keyturn_credentials",
    "keyturn_verifier": REPOSITORY / "services" / "keyturn_verifier",
    "keyturn_shared": REPOSITORY / "shared" / "keyturn_shared",
}
_LEFT_OUT: Final = shutil.ignore_patterns("__pycache__", "node_modules", "images")
BY_HAND: Final = "by-hand"
_HERE: Final = Path(__file__).parent
SUITES: Final[Mapping[str, Mapping[str, list[str]]]] = tomllib.loads((_HERE / "suites.toml").read_text())
"""Parts of the code, by name, each with the tests that must detect its faults."""


def mutated(suite: str) -> Path:
    """Return where mutmut stores mutated modules of a suite's tree, with the results of their mutants."""
    return _TREES / suite / "mutants" / "src"


def lay(suite: str) -> Path:
    """Update the copy from the repository. Times of files are kept: mutmut mutates newer ones again."""
    tree = _TREES / suite
    shutil.rmtree(tree / "src", ignore_errors=True)
    for name, directory in _PACKAGES.items():
        _copy(directory, tree / "src" / name)
    for name in ("tests", "docs", "benchmarks"):
        for place in (tree, tree / "mutants"):
            shutil.rmtree(place / name, ignore_errors=True)
        _copy(REPOSITORY / name, tree / name)
    _forget(_stale(mutated(suite), tree / "src"))
    settings = [(REPOSITORY / "pyproject.toml").read_text()]
    if suite != BY_HAND:
        settings += [(_HERE / "mutmut.toml").read_text(), _chosen(tree, **SUITES[suite])]
    (tree / "pyproject.toml").write_text("\n".join(settings))
    return tree


def _chosen(tree: Path, *, mutate: list[str], tests: list[str]) -> str:
    """Return a suite's part of mutmut's settings. Raises FileNotFoundError for a missing file."""
    for pattern in (*mutate, *tests):
        if not any(tree.glob(pattern)):
            raise FileNotFoundError(f"suites.toml: there is nothing at {pattern}")
    lines = {"only_mutate": mutate, "pytest_add_cli_args_test_selection": tests}
    return "\n".join(f"{name} = {json.dumps(value)}" for name, value in lines.items())


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=_LEFT_OUT, copy_function=shutil.copy2)


def _stale(mutated: Path, source: Path) -> Iterable[Path]:
    """Yield what mutmut would keep though it is gone, or changed: other files are copied only once."""
    for path in mutated.rglob("*"):
        if not path.is_file() or path.suffix == ".meta":
            continue
        if path.suffix != ".py" or not (source / path.relative_to(mutated)).exists():
            yield path


def _forget(paths: Iterable[Path]) -> None:
    for path in list(paths):
        path.unlink()
        path.with_name(path.name + ".meta").unlink(missing_ok=True)
