"""The ``keyturn`` program, with profiles in a directory of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from keyturn.cli import app

_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Program:
    """``run`` calls it in this process, ``run_program`` as a process of its own."""

    directory: Path

    def run(self, *words: str, stdin: str | None = None) -> Ended:
        with self._environment():
            result = CliRunner().invoke(app, list(words), input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ended(result.exit_code, result.stdout, result.stderr)

    def ok(self, *words: str, stdin: str | None = None) -> Ended:
        """Run a command that succeeds."""
        ended = self.run(*words, stdin=stdin)
        assert ended.code == 0, ended
        return ended

    def run_program(self, *words: str, stdin: str = "") -> Ended:
        ended = subprocess.run(
            [sys.executable, "-m", "keyturn", *words],
            check=False,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            env={**os.environ, **self._variables},
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    @contextmanager
    def following(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """Run a program that does not end; it is ended with Ctrl-C."""
        process = subprocess.Popen(
            [sys.executable, "-m", "keyturn", *words],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **self._variables},
            # Whoever runs the tests in the background may ignore it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(_SECONDS)
            finally:
                process.kill()
                process.communicate()

    @property
    def profiles(self) -> list[Path]:
        return sorted((self.directory / "keyturn" / "profiles").iterdir())

    @property
    def _variables(self) -> dict[str, str]:
        return {"XDG_CONFIG_HOME": str(self.directory)}

    @contextmanager
    def _environment(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self._variables.items():
                patch.setenv(name, value)
            yield
