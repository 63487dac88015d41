"""Handing over of results: the option ``--results``, and the commit, machine and versions behind them."""

import argparse
import json
import os
import platform
import re
import shlex
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from cryptography.hazmat.backends.openssl import backend

from benchmarks.results import Figure, Provenance, Results, write
from keyturn.stack.redis_server import find_redis_server
from tests.testkit.debian import debian_program
from tests.testkit.nodejs import install_packages, node_directory
from tests.testkit.postgres import PostgresServer
from tests.testkit.tools import REPOSITORY, ToolError, run

_NOT_MEASURED: Final = (":!docs", ":!benchmarks/results", ":!*.md")
"""Files that a report writes, or that change no figure."""


def add_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--results FILE``."""
    parser.add_argument("--results", type=Path, metavar="FILE", help="write the figures there, as JSON")


def hand_over(
    path: Path | None,
    benchmark: str,
    figures: Sequence[Figure],
    *,
    excluded: Sequence[str] = (),
    programs: Sequence[str] = (),
    busy: float,
) -> None:
    """Write the results if a file was named. ``programs``: those in use beside Python and cryptography, of
    ``VERSIONS``. ``busy``: the cores that other work took before (``busy_before``)."""
    if path is None:
        return
    versions = {
        "Python": platform.python_version(),
        "cryptography": version("cryptography"),
        "OpenSSL": backend.openssl_version_text().split()[1],
        **{name: VERSIONS[name]() for name in programs},
    }
    provenance = Provenance(
        commit=_commit(),
        date=datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ"),
        processor=_processor(Path("/proc/cpuinfo").read_text()),
        cores=os.cpu_count() or 1,
        busy=busy,
        versions=versions,
    )
    command = f"python -m {_module()} {shlex.join(_without_results(sys.argv[1:]))}".strip()
    write(
        path,
        Results(
            benchmark=benchmark,
            command=command,
            provenance=provenance,
            excluded=tuple(excluded),
            figures=tuple(figures),
        ),
    )


def busy_before(seconds: float = 1.0) -> float:
    """Return how many cores other work takes now, watched for so long."""
    begun, before = time.monotonic(), busy_seconds(Path("/proc/stat").read_text())
    time.sleep(seconds)
    used = busy_seconds(Path("/proc/stat").read_text()) - before
    return round(used / (time.monotonic() - begun), 1)


def busy_seconds(statistics: str) -> float:
    """Return the time for which all cores together have not been idle, of the text of ``/proc/stat``."""
    user, nice, system, _idle, _waiting, *interrupts = map(int, statistics.split("\n", 1)[0].split()[1:9])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


def _module() -> str:
    return Path(sys.argv[0]).resolve().relative_to(REPOSITORY).with_suffix("").as_posix().replace("/", ".")


def _without_results(arguments: list[str]) -> list[str]:
    if "--results" not in arguments:
        return arguments
    at = arguments.index("--results")
    return arguments[:at] + arguments[at + 2 :]


def _commit() -> str:
    commit = run(["git", "rev-parse", "--short=10", "HEAD"], cwd=REPOSITORY)
    if commit.returncode != 0:
        return "unknown"
    changes = run(
        ["git", "status", "--porcelain", "--untracked-files=no", "--", ".", *_NOT_MEASURED], cwd=REPOSITORY
    )
    return commit.stdout.strip() + ("+" if changes.stdout.strip() else "")


def _processor(description: str) -> str:
    named = re.search(r"^model name\s*:\s*(.+)$", description, re.MULTILINE)
    return named[1].strip() if named else platform.machine()


def _said(*command: object) -> str:
    """Return the first version that a program prints. Raises ToolError."""
    # wrk prints its version with its usage, as a failure.
    ended = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=30, check=False
    )
    if found := re.search(r"\d+(\.\d+)+", ended.stdout + ended.stderr):
        return found[0]
    raise ToolError(f"{command[0]} prints no version")


def _oidc_provider() -> str:
    package = install_packages() / "node_modules" / "oidc-provider" / "package.json"
    return str(json.loads(package.read_text())["version"])


def _postgresql() -> str:
    server = PostgresServer().start()
    try:
        return server.execute("SHOW server_version").split()[0]
    finally:
        server.close()


VERSIONS: Final[Mapping[str, Callable[[], str]]] = {
    "Redis": lambda: _said(find_redis_server(), "--version"),
    "Node.js": lambda: _said(node_directory() / "bin" / "node", "--version"),
    "wrk": lambda: _said(debian_program("wrk", "usr/bin/wrk"), "-v"),
    "oidc-provider": _oidc_provider,
    "uvicorn": lambda: version("uvicorn"),
    "uvloop": lambda: version("uvloop"),
    "PyJWT": lambda: version("PyJWT"),
    "SQLite": lambda: sqlite3.sqlite_version,
    "PostgreSQL": _postgresql,
}
