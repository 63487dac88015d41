"""Tests that share a slow start run in one process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.testkit.scheduling import EACH_BY_ITSELF, LONG, TOGETHER, place_of, unit_of
from tests.testkit.tools import REPOSITORY

_FILE = """
import os
from pathlib import Path

import pytest


@pytest.mark.parametrize("number", range(20))
def test_that_tells_where_it_runs(number):
    with Path({told!r}).open("a") as told:
        told.write(f"{{Path(__file__).name}} {{os.environ['PYTEST_XDIST_WORKER']}}\\n")
"""


@pytest.mark.timeout(240)
def test_a_file_runs_in_one_process_and_another_one_in_another(tmp_path: Path) -> None:
    told = tmp_path / "told"
    for name in ("test_one.py", "test_other.py"):
        (tmp_path / name).write_text(_FILE.format(told=str(told)))
    options = ["-q", "-n", "2", "-p", "tests.testkit.scheduling", "-p", "no:cacheprovider"]
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-c", "pyproject.toml", "--rootdir", REPOSITORY, tmp_path],
        cwd=REPOSITORY,
        env=ours,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    lines = told.read_text().splitlines()
    assert len(lines) == 40
    assert len(set(lines)) == 2, set(lines)


@pytest.mark.parametrize("path", sorted({*LONG, *TOGETHER, *EACH_BY_ITSELF}))
def test_every_path_that_is_named_is_there(path: str) -> None:
    file, _, test = path.partition("::")
    found = REPOSITORY / file
    assert found.exists() or list(found.parent.glob(f"{found.name}*"))
    assert not test or f"def {test}" in found.read_text()


def test_tests_of_one_deployment_are_one_unit_and_long_ones_are_each_their_own() -> None:
    assert unit_of("tests/browser/test_live.py::test_a") == unit_of("tests/browser/test_keys.py::test_b[x]")
    assert unit_of("tests/simulation/test_simulation.py::test_a[1]") == (
        "tests/simulation/test_simulation.py::test_a[1]"
    )
    assert unit_of("tests/unit/shared/test_tasks.py::test_a[a::b]") == "tests/unit/shared/test_tasks.py"


def test_unit_tests_come_last() -> None:
    assert place_of("tests/unit/shared/test_tasks.py::test_a") > place_of("tests/fuzz/test_fuzz.py::test_a")
