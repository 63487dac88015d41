"""Programs in Go with modules of others, pinned by ``go.sum``."""

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.testkit.tools import TOOLS, ToolError, made_once, run

_BUILD_SECONDS: Final = 600.0
# Unoptimized code without debug information is built in two thirds of the time.
_FAST: Final = ("-gcflags=all=-N -l", "-ldflags=-s -w")


def run_go(directory: Path, *, stdin: str = "", seconds: float = 60.0) -> subprocess.CompletedProcess[str]:
    """Build the program of a directory once and run it. Raises ToolError; the caller checks the exit code."""
    return run([build_go(directory)], stdin=stdin, seconds=seconds)


def build_go(directory: Path) -> Path:
    """Build the program of a directory, unless it was built; return its path. Raises ToolError."""
    name = f"{directory.parent.name}-{directory.name}"
    program = TOOLS / "go" / name / "program"
    files = sorted(file for file in directory.rglob("*") if file.suffix in (".go", ".mod", ".sum"))
    version = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    made_once(f"go-{name}", program.with_name(".built"), version, lambda: _build(directory, program))
    return program


def _build(directory: Path, program: Path) -> None:
    variables = {
        "GOCACHE": str(TOOLS / "go" / "cache"),
        "GOPATH": str(TOOLS / "go" / "path"),
        "GOFLAGS": "-mod=readonly -modcacherw",
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "0",
    }
    program.parent.mkdir(parents=True, exist_ok=True)
    go = Path(sys.executable).parent / "go"
    command = [go, "build", *_FAST, "-o", program, "."]
    built = run(command, cwd=directory, environment=variables, seconds=_BUILD_SECONDS)
    if built.returncode != 0:
        raise ToolError(built.stderr)
