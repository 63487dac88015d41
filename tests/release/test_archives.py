"""The wheel works without a checkout, and contains what it reads."""

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from itertools import chain
from pathlib import Path

import pytest

from tests.release.archives import (
    Archives,
    build,
    read_source,
    read_wheel,
    wrong_with,
    wrong_with_source,
    wrong_with_wheel,
)
from tests.release.checkout import REPOSITORY
from tests.release.reproduction import wrong_with_reproduction
from tests.testkit.distributions import brought_by, files_of
from tests.testkit.local_stack import Admin, RunningStack, ask_token

PROGRAM = """
import keyturn_credentials, keyturn_shared, keyturn_verifier, keyturn
for module in (keyturn, keyturn_credentials, keyturn_shared, keyturn_verifier):
    print(module.__file__)
"""


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Archives:
    return build(tmp_path_factory.mktemp("archives"))


def test_the_archives_carry_what_is_read_at_run_time_and_no_tests(archives: Archives) -> None:
    assert wrong_with(archives) == []


def test_a_wheel_that_lacks_something_is_noticed(archives: Archives) -> None:
    assert wrong_with(Archives(_copy_without_lua(archives.wheel), archives.source))


def test_a_source_archive_that_lacks_something_is_noticed(archives: Archives, tmp_path: Path) -> None:
    empty = tmp_path / archives.source.name
    with tarfile.open(empty, "w:gz"):
        pass
    assert "the source archive lacks Makefile" in wrong_with(Archives(archives.wheel, empty))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("keyturn/__pycache__/__main__.pyc", "which is not under version control"),
        ("keyturn/secret.py", "which is not under version control"),
        ("tests/__init__.py", "which is not under version control"),
        ("keyturn.pth", "which is not under version control"),
        ("keyturn/__init__.py", "another keyturn/__init__.py than the checkout"),
        ("keyturn-0.1.0.dist-info/more", "the wheel has keyturn-0.1.0.dist-info/more"),
    ],
)
def test_a_file_that_is_not_the_checkouts_is_noticed_in_a_wheel(
    name: str, said: str, archives: Archives
) -> None:
    (fault,) = wrong_with_wheel(read_wheel(archives.wheel) | {name: b"1"})
    assert said in fault


def test_a_file_that_is_not_the_checkouts_is_noticed_in_a_source_archive(archives: Archives) -> None:
    files = read_source(archives.source)
    for name in (".venv/pyvenv.cfg", "deploy/secrets/fleet_keys", "tests/__pycache__/conftest.pyc"):
        (fault,) = wrong_with_source(files | {name: b"1"})
        assert fault == f"the source archive has {name}, which is not under version control"


def test_a_path_of_the_machine_is_noticed(archives: Archives) -> None:
    files = read_wheel(archives.wheel)
    (metadata,) = (name for name in files if name.endswith(".dist-info/METADATA"))
    for path in (str(REPOSITORY), sys.prefix):
        (fault,) = wrong_with_wheel(files | {metadata: f"Home: {path}/x".encode()})
        assert fault == f"the wheel has a path of this machine in {metadata}"


def test_both_are_the_same_when_they_are_built_again_elsewhere_later_and_from_the_source(
    archives: Archives, tmp_path: Path
) -> None:
    assert wrong_with_reproduction(archives, tmp_path) == []


def test_a_difference_is_noticed(archives: Archives, tmp_path: Path) -> None:
    changed = Archives(_copy_without_lua(archives.wheel), archives.source)
    again, from_source = wrong_with_reproduction(changed, tmp_path)
    assert again == f"{changed.wheel.name} is not the same when it is built again"
    assert from_source.startswith(f"{changed.wheel.name} is not the same when it is built from")


def test_the_wheel_with_the_extra_local_runs_a_stack_without_a_checkout(
    archives: Archives, tmp_path: Path
) -> None:
    python = _environment(tmp_path / "environment", "local")
    # Without an index nothing else can be installed, so this proves that the extra is complete.
    install = ("install", "--quiet", "--disable-pip-version-check", "--no-index", f"{archives.wheel}[local]")
    _run(sys.executable, "-m", "pip", "--python", python, *install, cwd=tmp_path)
    answer = _run(python, "-c", PROGRAM, cwd=tmp_path)
    assert all(line.startswith(f"{tmp_path}{os.sep}") for line in answer.split()), answer
    assert "verifier" in _run(str(Path(python).with_name("keyturn")), "--help", cwd=tmp_path)
    with RunningStack(tmp_path / "data", nodes=1, python=python).start() as stack:
        admin = Admin(stack, "wheel")
        admin.make_realm()
        secret = admin.secret(admin.make_client("orders"))
        assert ask_token(stack.base_url, "wheel", "orders", secret).status_code == 200
        assert admin.http.get("/console/").status_code == 200


def _environment(directory: Path, extra: str) -> str:
    """Return the Python of a new environment with an extra's distributions, but without keyturn."""
    venv.create(directory, with_pip=False, symlinks=True)
    (site,) = directory.glob("lib/python*/site-packages")
    for file in chain.from_iterable(map(files_of, brought_by(extra))):
        (site / file.name).symlink_to(file)
    return str(directory / "bin" / "python")


def _copy_without_lua(wheel: Path) -> Path:
    copy = wheel.with_name(f"without-{wheel.name}")
    with zipfile.ZipFile(wheel) as whole, zipfile.ZipFile(copy, "w") as less:
        for name in whole.namelist():
            if not name.endswith(".lua"):
                less.writestr(name, whole.read(name))
    return copy


def _run(*command: str, cwd: Path) -> str:
    answer = subprocess.run(command, cwd=cwd, check=False, capture_output=True, text=True, timeout=120)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout
