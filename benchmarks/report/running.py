"""Runs a benchmark as a process of its own and takes its results."""

import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.report.plan import Planned
from benchmarks.results import Results, ResultsError, read
from tests.testkit.tools import REPOSITORY

_END_SECONDS = 30.0


class BenchmarkError(Exception):
    """A benchmark failed; the message says how."""


def run(planned: Planned, *, quick: bool) -> Results:
    """Run it, with its output on this process's. Raises BenchmarkError."""
    arguments = shlex.split(planned.quick if quick else planned.full)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="keyturn-report-") as directory:
        file = Path(directory) / "results.json"
        command = [sys.executable, "-m", f"benchmarks.{planned.module}", *arguments, "--results", str(file)]
        print(f"== {planned.name}: {shlex.join(command[1:-2])}", flush=True)
        process = subprocess.Popen(command, cwd=REPOSITORY)
        try:
            status = process.wait(planned.longest)
        except subprocess.TimeoutExpired as error:
            raise BenchmarkError(f"had not ended after {planned.longest:.0f} s") from error
        finally:
            _end(process)
        if status != 0:
            raise BenchmarkError(f"ended with exit code {status}")
        try:
            results = read(file)
        except ResultsError as error:
            raise BenchmarkError(str(error)) from error
        if results.benchmark != planned.name:
            raise BenchmarkError(f"handed over results of {results.benchmark}")
    print(f"== {planned.name} took {time.monotonic() - begun:.0f} s\n", flush=True)
    return results


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it with what it has started, which it ends itself when it is interrupted."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
