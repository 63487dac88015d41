"""A token with KEKs, and commands that use it as an operator does."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest
from typer.testing import CliRunner

from keyturn.cli import app
from tests.testkit.fixtures.logs import logs_as_before
from tests.testkit.softhsm import PIN, SoftHsm, softhsm

__all__ = ["logs_as_before"]

SECONDS = 240


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Operator:
    """An operator beside a token named ``keys``. ``settings``: that name it."""

    hsm: SoftHsm
    pin_file: Path
    directory: Path

    @property
    def settings(self) -> dict[str, str]:
        return {
            **self.hsm.environment,
            "KEYTURN_PKCS11_MODULE": str(self.hsm.module),
            "KEYTURN_PKCS11_TOKEN": "keys",
            "KEYTURN_PKCS11_PIN_FILE": str(self.pin_file),
            "KEYTURN_PKCS11_SECONDS": "60",
        }

    def environment(self, **changes: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("KEYTURN_")}
        return {**kept, **self.settings, **changes}

    def run(self, *arguments: str, **changes: str) -> Done:
        """Run ``keyturn`` in this process with these settings. ``changes``: further variables."""
        with patch.dict(os.environ, self.environment(**changes), clear=True):
            done = CliRunner().invoke(app, arguments)
        return Done(done.exit_code, done.stdout, done.stderr)

    def run_process(self, *arguments: str, **changes: str) -> Done:
        """Run ``keyturn`` as a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "keyturn", *arguments],
            cwd=self.directory,
            env=self.environment(**changes),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def printed(self, *arguments: str, **changes: str) -> str:
        """Return the one line that ``keyturn`` prints."""
        done = self.run(*arguments, **changes)
        assert (done.code, done.err) == (0, "")
        (line,) = done.out.splitlines()
        return line

    def refused(self, *arguments: str, **changes: str) -> list[str]:
        """Return the lines with which ``keyturn`` refuses."""
        return refusal_of(self.run(*arguments, **changes))


def refusal_of(done: Done) -> list[str]:
    """Return the lines of a command that was refused. It printed nothing else, and never the PIN."""
    assert (done.code, done.out) == (2, ""), done.err
    assert PIN not in done.err
    return done.err.removeprefix("keyturn: ").splitlines()


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    place = tmp_path / "softhsm"
    place.mkdir()
    with softhsm(place) as hsm:
        hsm.make_token("keys")
        pin_file = tmp_path / "pin"
        pin_file.write_text(f"{PIN}\n")
        yield Operator(hsm, pin_file, tmp_path)
